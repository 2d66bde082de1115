import type { Field } from "./fields.ts";

/** The keys of a configuration, nested as they are in the file. */
export interface Shape {
  readonly [key: string]: Field<unknown> | Shape;
}

/** The checked configuration of a {@linkcode Shape}. */
export type ConfigOf<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends Field<infer T> ? T : S[K] extends Shape ? ConfigOf<S[K]> : never;
};

/** A path in a configuration: keys, and indices of lists. */
export type Path = readonly (string | number)[];

/** Whether an entry is a key and not a group of keys. */
export function isField(entry: Field<unknown> | Shape): entry is Field<unknown> {
  return typeof entry["expected"] === "string";
}

/** Every key of a shape with its path, without groups. */
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

const PREFIX = "SALLYPORT_";

/** The environment variable of a key: `SALLYPORT_TARGETS__ALLOW` for `targets.allow`. */
export function variableOf(path: readonly string[]): string {
  return PREFIX + path.join("__").toUpperCase();
}

/** The environment variable with a file's content, such as `SALLYPORT_CERT_PEM`. */
export function contentVariable(name: string): string {
  return PREFIX + name;
}

/** The `SALLYPORT_*` variables without a key in the shape, in alphabetical order. */
export function unknownVariables(shape: Shape, environment: Readonly<Record<string, string>>): string[] {
  const known = new Set<string>();
  for (const [path, field] of fieldsOf(shape)) {
    known.add(variableOf(path));
    if (field.content) known.add(contentVariable(field.content.name));
  }
  return Object.keys(environment).filter((name) => name.startsWith(PREFIX) && !known.has(name)).sort();
}
