import { domainToASCII } from "node:url";

/** The longest name, without a final dot (RFC 1035 section 2.3.4 counts 255 bytes on the wire). */
const MAX_NAME = 253;
/** RFC 1123 section 2.1, and the underscore: no host name has one by the RFC, but names with it are in use. */
const LABEL = /^[a-z0-9_-]{1,63}$/i;

/** Where the grammar of host names is not the same everywhere. */
export interface HostNameRules {
  /**
   * Whether the name may end in a dot. DNS and URLs know it as the mark of a full name; certificates have none
   * (RFC 5280 section 4.2.1.6, by RFC 1034 section 3.5). @default true
   */
  readonly finalDot?: boolean;
  /**
   * Whether a label may begin or end with a hyphen. RFC 1123 forbids it, but resolvers find such names, so that a
   * client may ask for them. @default true
   */
  readonly edgeHyphens?: boolean;
  /** Whether the first label may be `*`, as in certificates (RFC 9525 section 6.3). @default false */
  readonly wildcard?: boolean;
}

/**
 * Whether a text is a host name in ASCII, of dot-separated labels. An IPv4 address has the form of one too;
 * see {@linkcode endsInNumber}.
 */
export function isHostName(text: string, rules: HostNameRules = {}): boolean {
  const { finalDot = true, edgeHyphens = true, wildcard = false } = rules;
  let name = text;
  if (finalDot && name.endsWith(".")) name = name.slice(0, -1);
  if (name.length > MAX_NAME) return false;
  if (wildcard && name.startsWith("*.")) name = name.slice(2);
  return name.split(".").every((label) => LABEL.test(label) && (edgeHyphens || !/^-|-$/.test(label)));
}

/** A host name without what does not distinguish it: in lower case, without a final dot (RFC 4343, RFC 1034 3.1). */
export function foldHostName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/**
 * Brings a host name to the form in which names are compared and resolved: folded, and with other scripts as
 * Punycode. Undefined for what cannot be a host name.
 */
export function normalHostName(text: string): string | undefined {
  // deno-lint-ignore no-control-regex -- the IDNA rules are for everything that is not ASCII
  const ascii = /[^\x00-\x7f]/.test(text) ? domainToASCII(text.toLowerCase()) : text;
  const name = foldHostName(ascii);
  return isHostName(name, { finalDot: false }) ? name : undefined;
}

/**
 * Whether a name in normal form has a last label that makes the whole an IPv4 address or invalid: decimal or octal
 * (`2130706433`, `127.1`) or hex (`0x7f000001`, `127.0.0.0x1`). It is the URL Standard's "ends in a number checker".
 */
export function endsInNumber(name: string): boolean {
  return /(?:^|\.)(?:\d+|0x[\da-f]*)$/.test(name);
}
