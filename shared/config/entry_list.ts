import { z } from "zod";
import type { Field } from "./fields.ts";

/** What the entries of an {@linkcode entryList} are. */
export interface EntryOptions<T> {
  /** What the list is, as it follows "expected" in an error. */
  readonly expected: string;
  /** What belongs at a place below the key: an index, and what follows it in a mapping. */
  expectedAt(below: readonly (string | number)[]): string | undefined;
  /** An entry that is a mere text. */
  readonly text: z.ZodType<T>;
  /** An entry that is a mapping. */
  readonly mapping: z.ZodType<T>;
}

/**
 * A list whose entries are texts or mappings. In the environment it is texts separated by commas, or, when it
 * begins with `[`, the list as JSON.
 */
export function entryList<T>({ expected, expectedAt, text, mapping }: EntryOptions<T>): Field<readonly T[]> {
  const entry = z.unknown().transform((written, context): T => {
    const result = (typeof written === "string" ? text : mapping).safeParse(written);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
      for (const key of keys) {
        const path = key === undefined ? issue.path : [...issue.path, key];
        context.addIssue({ code: "custom", message: issue.message, path });
      }
    }
    return z.NEVER;
  });
  return { expected, expectedAt, schema: z.array(entry), fallback: [], fromText: fromText };
}

function fromText(text: string): unknown {
  if (text.trim() === "") return [];
  if (!text.trimStart().startsWith("[")) return text.split(",").map((entry) => entry.trim());
  try {
    return JSON.parse(text);
  } catch {
    return text; // which is no list: the error quotes it
  }
}
