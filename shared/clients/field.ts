import { z } from "zod";
import { entryList } from "../config/entry_list.ts";
import type { Field } from "../config/fields.ts";
import { SallyportError } from "../errors.ts";
import { listHint } from "../config/hints.ts";
import { isTarget, TARGET, targetHint, TARGETS } from "../egress/rules/target_entries.ts";
import { parseClientPattern } from "./pattern.ts";
import type { ClientEntry } from "./rules.ts";

const PATTERN = 'a client pattern such as "cn:laptop-*", "dns:*.corp.example" or "uri:spiffe://corp/ci/*"';

/**
 * The key `clients.allow`: patterns, or mappings with a pattern and targets.
 *
 * @param targets What to expect as targets, as it follows "a list of" in an error.
 * @param isTarget Whether a text is a target.
 */
export function clientEntries(
  targets: string,
  isTarget: (entry: string) => boolean,
): Field<readonly ClientEntry[]> {
  const pattern = z.string().refine(isPattern);
  const list = z.array(z.string().refine((entry) => /^\S+$/.test(entry) && isTarget(entry))).default([]);
  return entryList<ClientEntry>({
    expected: `a list of client patterns, or of mappings with the keys client and targets`,
    expectedAt: (below) => expectedAt(below, targets),
    keysAt: ([, key, inner]) =>
      inner === undefined ? ["client", "targets"] : key === "targets" ? ["allow", "deny"] : undefined,
    hintAt(written, [, key, inner, entry]) {
      if (key !== "targets" || !isTargetList(inner)) return undefined;
      return entry === undefined ? listHint(written) : targetHint(written);
    },
    text: pattern.transform((client) => ({ client })),
    mapping: z.strictObject({
      client: pattern,
      targets: z.strictObject({ allow: list, deny: list }).optional(),
    }),
  });
}

/**
 * Reads `clients.allow` from the environment: patterns separated by commas, or JSON that begins with `[`.
 *
 * @throws {SallyportError} `bad_request`, with the place of each error and what is expected there.
 */
export function parseClientEntries(text: string): readonly ClientEntry[] {
  const field = clientEntries(TARGETS, isTarget);
  const read = field.schema.safeParse(field.fromText(text));
  if (read.success) return read.data;
  const wrong = read.error.issues.map(({ path }) => {
    const at = path.filter((key) => typeof key !== "symbol");
    const place = ["clients.allow", ...at].join(".");
    return `${place}: expected ${field.expectedAt?.(at) ?? field.expected}`;
  });
  throw new SallyportError("bad_request", `Cannot read the client rules: ${wrong.join("; ")}`);
}

function isPattern(text: string): boolean {
  try {
    parseClientPattern(text);
    return true;
  } catch {
    return false; // the error of the configuration has file, line and key
  }
}

function expectedAt(
  [index, key, inner, entry]: readonly (string | number)[],
  targets: string,
): string | undefined {
  if (index === undefined) return undefined;
  if (key === undefined) return `${PATTERN}, or the keys client and targets`;
  if (key === "client") return PATTERN;
  if (key !== "targets") return "one of the keys client, targets";
  if (isTargetList(inner)) return entry === undefined ? `a list of ${targets}` : TARGET;
  return inner === undefined ? "the keys allow, deny" : "one of the keys allow, deny";
}

function isTargetList(key: string | number | undefined): boolean {
  return key === "allow" || key === "deny";
}
