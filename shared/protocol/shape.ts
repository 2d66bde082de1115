import { SallyportError } from "../errors.ts";

/** A value from `JSON.parse`, not yet checked. */
type Unchecked = unknown;

/** Checks a value and returns it with its type; throws `protocol_violation` that names `where`. */
export type Shape<T> = (value: Unchecked, where: string) => T;

/** The type that a {@linkcode Shape} returns. */
export type Checked<S> = S extends Shape<infer T> ? T : never;

function refuse(where: string, expected: string, value: Unchecked): never {
  const seen = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
  throw new SallyportError("protocol_violation", `Cannot read ${where}: expected ${expected}, got ${seen}`);
}

/** A whole number from `min` to `max`. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, where) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value)) refuse(where, "a whole number", value);
    if (value < min || value > max) {
      throw new SallyportError(
        "protocol_violation",
        `Cannot read ${where}: ${value} is not in ${min}..${max}`,
      );
    }
    return value;
  };
}

/** A string of `minLength` to `maxLength` UTF-16 units. */
export function text(maxLength: number, minLength = 0): Shape<string> {
  return (value, where) => {
    if (typeof value !== "string") refuse(where, "a string", value);
    if (value.length > maxLength || value.length < minLength) {
      throw new SallyportError(
        "protocol_violation",
        `Cannot read ${where}: length ${value.length} is not in ${minLength}..${maxLength}`,
      );
    }
    return value;
  };
}

/** `true` or `false`, without conversion of other values. */
export const flag: Shape<boolean> = (value, where) => {
  if (typeof value !== "boolean") refuse(where, "a boolean", value);
  return value;
};

/** A string of `minLength` to `maxLength` UTF-16 units that matches `pattern`; `form` describes it in the error. */
export function textOf(form: string, pattern: RegExp, maxLength: number, minLength = 0): Shape<string> {
  const bounded = text(maxLength, minLength);
  return (value, where) => {
    const checked = bounded(value, where);
    // Without the value, which may be a secret: the message is logged.
    if (!pattern.test(checked)) throw mismatch(where, form);
    return checked;
  };
}

/** An HTTP token (RFC 9110 section 5.6.2), such as a method or the name of a field. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A field's value or a reason phrase (RFC 9110 section 5.5): bytes without control characters except tab. */
export const FIELD_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A header list: `[name, value, name, value, …]` (SPEC.md 2.6). */
export const headerList: Shape<string[]> = (value, where) => {
  if (!Array.isArray(value) || value.length % 2 !== 0) refuse(where, "an array of even length", value);
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (typeof item !== "string") refuse(where, "an array of strings", item);
    if (!(i % 2 === 0 ? TOKEN : FIELD_TEXT).test(item)) {
      throw mismatch(`${where}[${i}]`, i % 2 === 0 ? "a token" : "bytes without control characters");
    }
  }
  return value as string[];
};

function mismatch(where: string, form: string): SallyportError {
  return new SallyportError("protocol_violation", `Cannot read ${where}: expected ${form}`);
}

/** A member that may be missing. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, where) => value === undefined ? undefined : shape(value, where);
}

type Members = Record<string, Shape<unknown>>;
type OptionalKeys<M extends Members> = {
  [K in keyof M]: undefined extends Checked<M[K]> ? K : never;
}[keyof M];
type ObjectOf<M extends Members> =
  & { [K in Exclude<keyof M, OptionalKeys<M>>]: Checked<M[K]> }
  & { [K in OptionalKeys<M>]?: Exclude<Checked<M[K]>, undefined> };

/**
 * An object with these members. The result is a new object with only these members, so that `__proto__` and unexpected
 * members are dropped.
 */
export function object<M extends Members>(members: M): Shape<ObjectOf<M>> {
  const entries = Object.entries(members);
  return (value, where) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refuse(where, "an object", value);
    }
    const from = value as Record<string, Unchecked>;
    const result: Record<string, unknown> = {};
    for (const [name, shape] of entries) {
      const checked = shape(Object.hasOwn(from, name) ? from[name] : undefined, `${where}.${name}`);
      if (checked !== undefined) result[name] = checked;
    }
    return result as ObjectOf<M>;
  };
}
