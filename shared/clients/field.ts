import { z } from "zod";
import { entryList } from "../config/entry_list.ts";
import type { Field } from "../config/fields.ts";
import { SallyportError } from "../errors.ts";
import { isTarget, TARGETS } from "../targets/target_entries.ts";
import { parseClientPattern } from "./pattern.ts";
import type { ClientEntry } from "./rules.ts";

const PATTERN =
  'a pattern of clients such as "cn:laptop-*", "dns:*.corp.example" or "uri:spiffe://corp/ci/*"';

/**
 * The key `clients.allow`: patterns, or mappings of a pattern and targets.
 *
 * @param targets What targets are, as it follows "a list of" in an error.
 * @param isTarget Judges one target.
 */
export function clientEntries(
  targets: string,
  isTarget: (entry: string) => boolean,
): Field<readonly ClientEntry[]> {
  const pattern = z.string().refine(isPattern);
  const list = z.array(z.string().refine((entry) => /^\S+$/.test(entry) && isTarget(entry))).default([]);
  return entryList<ClientEntry>({
    expected: `a list of patterns of clients, or of mappings with the keys client and targets`,
    expectedAt: (below) => expectedAt(below, targets),
    text: pattern.transform((client) => ({ client })),
    mapping: z.strictObject({
      client: pattern,
      targets: z.strictObject({ allow: list, deny: list }).optional(),
    }),
  });
}

/**
 * Reads `clients.allow` as the environment has it: patterns separated by commas, or JSON that begins with `[`.
 *
 * @throws {SallyportError} `bad_request`, with what is expected at the place that is wrong.
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
    return false; // the configuration's error says more: file, line and key
  }
}

function expectedAt(
  [index, key, inner]: readonly (string | number)[],
  targets: string,
): string | undefined {
  if (index === undefined) return undefined;
  if (key === undefined) return `${PATTERN}, or the keys client and targets`;
  if (key === "client") return PATTERN;
  if (key !== "targets") return "one of the keys client, targets";
  if (inner === "allow" || inner === "deny") return `a list of ${targets}`;
  return inner === undefined ? "the keys allow, deny" : "one of the keys allow, deny";
}
