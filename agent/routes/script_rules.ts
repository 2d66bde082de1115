import type { Address } from "../../shared/egress/rules/address.ts";
import type { TargetRule } from "../../shared/egress/rules/rule.ts";
import type { Routes } from "./routes.ts";

/** A rule in the script: one of `name`, `below` and `bits`. */
export interface ScriptRule {
  name?: string;
  /** A suffix of names, with its dot. */
  below?: string;
  /** The leading bits of an address, as digits. */
  bits?: string;
  /** The number of bits of such an address. */
  size?: number;
  port?: number;
}

/** The lists in the script. */
export interface ScriptLists {
  bypass: ScriptRule[];
  /** Only rules that may overlap with `bypass`: everything else goes to the agent anyway. */
  block: ScriptRule[];
  /** Ports for which `block` has addresses: only the agent can look up names and check them. */
  judged: number[];
}

/** The part of `bypass` and `block` that a script needs, which cannot look up names. */
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

/** An address as 32 or 128 binary digits, so that a range is a prefix. */
export function bitsOf(address: Address): string {
  return address.toByteArray().map(bitsOfByte).join("");
}

/** Eight digits. */
export function bitsOfByte(byte: number): string {
  return byte.toString(2).padStart(8, "0");
}

/** Bits of an IPv4 address. */
const IPV4_SIZE = 32;

/**
 * Returns the `rules` that may overlap with one of `others`. Extra rules do no harm: ports are ignored, and since an IPv6
 * address may embed any IPv4 address, every IPv4 rule is returned if `others` has an IPv6 rule.
 *
 * Names and addresses are trees, where two rules overlap only if one contains the other. So the time is proportional to
 * the number of rules, not to the product of both lists.
 */
export function overlapping(rules: readonly ScriptRule[], others: readonly ScriptRule[]): ScriptRule[] {
  const [own, theirs] = [new Scopes(rules), new Scopes(others)];
  const around = new Set(others.flatMap((other) => own.containing(other)));
  const hasIPv6 = others.some(({ size }) => size !== undefined && size !== IPV4_SIZE);
  return rules.filter((rule) =>
    (hasIPv6 && rule.size === IPV4_SIZE) || around.has(scopeOf(rule)) || theirs.containing(rule).length > 0
  );
}

/** The scope of a rule, as text. */
function scopeOf({ name, below, bits, size }: ScriptRule): string {
  return name ?? below ?? `${size}/${bits}`;
}

/** The scopes of a list. */
class Scopes {
  readonly #all: ReadonlySet<string>;
  /** Lengths of address scopes: a list has only a few. */
  readonly #lengths: ReadonlySet<number>;

  constructor(rules: readonly ScriptRule[]) {
    this.#all = new Set(rules.map(scopeOf));
    this.#lengths = new Set(
      rules.filter(({ bits }) => bits !== undefined).map((rule) => scopeOf(rule).length),
    );
  }

  /** The scopes that contain a rule's scope. */
  containing(rule: ScriptRule): string[] {
    const scope = scopeOf(rule);
    const candidates = rule.bits !== undefined
      ? [...this.#lengths].filter((length) => length <= scope.length).map((length) => scope.slice(0, length))
      : suffixes(scope);
    return candidates.filter((candidate) => this.#all.has(candidate));
  }
}

/** A name or suffix, and the suffixes of the names above it. */
function suffixes(text: string): string[] {
  const found = [text];
  for (let dot = text.indexOf(".", 1); dot >= 0; dot = text.indexOf(".", dot + 1)) {
    found.push(text.slice(dot));
  }
  return found;
}
