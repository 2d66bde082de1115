import { parseClientEntries } from "../../shared/clients/field.ts";

/** Bytes that the variables of a function take at the most, names and values. */
const MAX_VARIABLES = 4_096;
/** Bytes of the variables beside CA and rules: names of variables, and names of at most 31 characters. */
const OTHER_VARIABLES = 400;

/**
 * Makes sure that server and functions can use client rules, before anything is changed.
 *
 * @param rules `clients.allow`, as `SALLYPORT_CLIENTS__ALLOW` has it.
 * @param ca The CA's certificate, PEM, which takes room of the same variables.
 * @throws {Error} That says what is wrong with them.
 */
export function requireUsableRules(rules: string, ca: string): void {
  const entries = parseClientEntries(rules);
  if (rules.trim() !== "" && entries.length === 0) {
    throw new Error(
      `Cannot deploy the client rules ${rules.trim()}: a list without an entry lets in every client of the CA; say ` +
        '--clients-allow "" if that is meant',
    );
  }
  const size = (text: string) => new TextEncoder().encode(text).byteLength;
  const room = MAX_VARIABLES - OTHER_VARIABLES - size(ca);
  if (rules === "" || size(rules) <= room) return;
  throw new Error(
    `Cannot deploy the client rules: they have ${
      size(rules)
    } bytes, and beside ca.crt the functions have room for ` +
      `${Math.max(0, room)}; use fewer patterns with "*", or give such clients a CA of their own`,
  );
}
