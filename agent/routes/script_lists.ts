import type { TargetRule } from "../../shared/targets/rule.ts";
import { bitsOf } from "./bits.ts";
import { overlapping } from "./overlapping.ts";
import type { Routes } from "./routes.ts";

/** A rule as the script has it: one of `name`, `below` and `bits`. */
export interface ScriptRule {
  name?: string;
  /** What names end with, its dot included. */
  below?: string;
  /** The digits that an address begins with, in base two. */
  bits?: string;
  /** Digits of such an address. */
  size?: number;
  port?: number;
}

/** What the script knows of the lists. */
export interface ScriptLists {
  bypass: ScriptRule[];
  /** Only what may be about something that `bypass` names: all else goes to the agent anyway. */
  block: ScriptRule[];
  /** Ports at which `block` judges addresses that names lead to: only the agent looks names up. */
  judged: number[];
}

/** What of `bypass` and `block` a script needs that knows no addresses of names. */
export function scriptLists({ bypass, block }: Pick<Routes, "bypass" | "block">): ScriptLists {
  const judged = new Set(block.rules.filter(isRange).map(({ port }) => port));
  const direct = bypass.rules.filter((rule) =>
    isRange(rule) || !(judged.has(undefined) || (rule.port !== undefined && judged.has(rule.port)))
  ).map(scriptRule);
  return {
    bypass: direct,
    block: overlapping(block.rules.map(scriptRule), direct),
    judged: [...judged].filter((port) => port !== undefined),
  };
}

function isRange({ covers }: TargetRule): boolean {
  return covers.kind === "range";
}

function scriptRule({ covers, port }: TargetRule): ScriptRule {
  const only = port === undefined ? {} : { port };
  switch (covers.kind) {
    case "name":
      return { name: covers.name, ...only };
    case "below":
      return { below: `.${covers.name}`, ...only };
    case "range": {
      const bits = bitsOf(covers.network);
      return { bits: bits.slice(0, covers.prefix), size: bits.length, ...only };
    }
  }
}
