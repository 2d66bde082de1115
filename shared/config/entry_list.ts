import { z } from "zod";
import type { Field } from "./fields.ts";
import { listHint } from "./hints.ts";
import { didYouMean, suggestions } from "../text/suggestions.ts";

/** The entries of an {@linkcode entryList}. */
export interface EntryOptions<T> {
  /** The expected list, as it follows "expected" in an error. */
  readonly expected: string;
  /** The expected value at a path below the key: an index, then keys of a mapping. */
  expectedAt(below: readonly (string | number)[]): string | undefined;
  /** The valid keys of the mapping that contains the last key of the path. @default {unknown} */
  keysAt?(below: readonly (string | number)[]): readonly string[] | undefined;
  /** How to correct the value at a path below the key. @default {only unknown keys are corrected} */
  hintAt?(written: unknown, below: readonly (string | number)[]): string | undefined;
  /** An entry that is a text. */
  readonly text: z.ZodType<T>;
  /** An entry that is a mapping. */
  readonly mapping: z.ZodType<T>;
}

/**
 * A list whose entries are texts or mappings. In the environment it is texts separated by commas, or, when it
 * begins with `[`, the list as JSON.
 */
export function entryList<T>(options: EntryOptions<T>): Field<readonly T[]> {
  const { expected, expectedAt, hintAt, text, mapping } = options;
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
  const hint = (written: unknown, below: readonly (string | number)[]) =>
    below.length === 0 ? listHint(written) : hintAt?.(written, below) ?? unknownKeyHint(options, below);
  return { expected, expectedAt, hint, schema: z.array(entry), fallback: [], fromText };
}

function unknownKeyHint<T>(
  { keysAt }: EntryOptions<T>,
  below: readonly (string | number)[],
): string | undefined {
  const key = below.at(-1);
  const keys = typeof key === "string" ? keysAt?.(below) : undefined;
  return keys === undefined || keys.includes(key as string)
    ? undefined
    : didYouMean(suggestions(key as string, keys));
}

function fromText(text: string): unknown {
  if (text.trim() === "") return [];
  if (!text.trimStart().startsWith("[")) return text.split(",").map((entry) => entry.trim());
  try {
    return JSON.parse(text);
  } catch {
    return text; // not a list: the error quotes it
  }
}
