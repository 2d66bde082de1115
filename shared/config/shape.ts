import type { Field } from "./fields.ts";

/** The keys of a configuration, nested as they are in the file. */
export interface Shape {
  readonly [key: string]: Field<unknown> | Shape;
}

/** What a configuration of a {@linkcode Shape} is once it was read and checked. */
export type ConfigOf<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends Field<infer T> ? T : S[K] extends Shape ? ConfigOf<S[K]> : never;
};

/** Where in a configuration something is: keys, and indices of lists. */
export type Path = readonly (string | number)[];

/** Tells a key from a group of keys. */
export function isField(entry: Field<unknown> | Shape): entry is Field<unknown> {
  return typeof entry["expected"] === "string";
}

/** Every key of a shape with its path, groups left out. */
export function* fieldsOf(
  shape: Shape,
  above: readonly string[] = [],
): Generator<[readonly string[], Field<unknown>]> {
  for (const [key, entry] of Object.entries(shape)) {
    const path = [...above, key];
    if (isField(entry)) yield [path, entry];
    else yield* fieldsOf(entry, path);
  }
}
