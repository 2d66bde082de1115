import { fieldsOf, type Shape } from "./shape.ts";

const PREFIX = "SALLYPORT_";

/** Names the environment variable of a key: `targets.allow` is `SALLYPORT_TARGETS__ALLOW`. */
export function variableOf(path: readonly string[]): string {
  return PREFIX + path.join("__").toUpperCase();
}

/** Names the environment variable that holds a file's content, such as `SALLYPORT_CERT_PEM`. */
export function contentVariable(name: string): string {
  return PREFIX + name;
}

/** Returns the `SALLYPORT_*` variables that no key of the shape knows, in alphabetical order. */
export function unknownVariables(shape: Shape, environment: Readonly<Record<string, string>>): string[] {
  const known = new Set<string>();
  for (const [path, field] of fieldsOf(shape)) {
    known.add(variableOf(path));
    if (field.content) known.add(contentVariable(field.content.name));
  }
  return Object.keys(environment).filter((name) => name.startsWith(PREFIX) && !known.has(name)).sort();
}
