import { domainToASCII } from "node:url";

/** What a name to resolve may look like; underscores are no host names but are in use. */
const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

/**
 * Brings a host name to the one form in which names are compared and resolved: lower case, without the final
 * dot, other scripts as Punycode. Returns undefined for what cannot be a host name.
 */
export function normalName(name: string): string | undefined {
  let normal = name.toLowerCase();
  // deno-lint-ignore no-control-regex -- whatever is not ASCII is for the IDNA rules
  if (/[^\x00-\x7f]/.test(normal)) normal = domainToASCII(normal);
  if (normal.endsWith(".")) normal = normal.slice(0, -1);
  return NAME.test(normal) ? normal : undefined;
}
