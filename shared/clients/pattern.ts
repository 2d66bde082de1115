import { hasHidden } from "../text/sanitize.ts";
import { SallyportError } from "../errors.ts";

/** The names in a client's certificate. */
export interface ClientNames {
  /** Common name of the subject; "" when it has none. */
  readonly commonName: string;
  /** Alternative names: DNS names and URIs. */
  readonly names: { readonly dns: readonly string[]; readonly uris: readonly string[] };
}

/** Matches some clients by their names. */
export interface ClientPattern {
  /** The pattern as it was written, for logs. */
  readonly text: string;
  /** Whether one of the client's names matches. */
  matches(client: ClientNames): boolean;
}

/**
 * Reads a pattern for one kind of name:
 *
 * - `cn:` the common name, exactly; `*` matches any number of characters, also none. A common name is free text: a
 *   client that may choose a part of it may choose everything that `*` matches.
 * - `dns:` a DNS name, case-insensitive; `*.` in front matches exactly one label (RFC 9525 section 6.3).
 * - `uri:` a URI, exactly; in the path of `scheme://authority/path`, `*` matches any number of characters within a
 *   segment, which is never empty, and `**` as the last segment matches one segment or more.
 *
 * No pattern matches a name with control or invisible characters, or an undecodable one. `dns:` and `uri:` match only
 * ASCII. `*` matches no percent sign, no `.` or `..`, no query or fragment of a URI, and not the `*` of a wildcard
 * certificate.
 *
 * @throws SallyportError `bad_request` for any other text.
 */
export function parseClientPattern(text: string): ClientPattern {
  const [, kind, rest = ""] = /^(cn|dns|uri):(.*)$/su.exec(text) ?? [];
  const matches = kind === "cn" ? commonName(rest) : kind === "dns" ? dnsName(rest) : kind && uri(rest);
  if (matches) return { text, matches };
  const shown = JSON.stringify(text);
  throw new SallyportError("bad_request", `Cannot read the client pattern: current value is ${shown}`);
}

type Matches = ClientPattern["matches"];

/** The replacement character, for undecodable bytes. */
const REPLACEMENT = "\ufffd";
const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const DNS_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
/** A segment of literal characters (RFC 3986 section 3.3), except `.` and `..`. */
const SEGMENT = /^(?!\.\.?$)[A-Za-z0-9_~!$&'()+,;=:@.-]+$/;
const URI_TEXT = /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i;
/** Parts of a URI before its path, when split at slashes: `spiffe:`, "", `corp.example`. */
const BEFORE_PATH = 3;

function isUnreadable(text: string): boolean {
  return hasHidden(text) || text.includes(REPLACEMENT);
}

function commonName(pattern: string): Matches | undefined {
  if (pattern === "" || isUnreadable(pattern)) return undefined;
  const fits = glob(pattern);
  return ({ commonName: name }) => name !== "" && !isUnreadable(name) && fits(name);
}

function dnsName(pattern: string): Matches | undefined {
  const wanted = normal(pattern);
  const wild = wanted.startsWith("*.");
  const fixed = wild ? wanted.slice(2) : wanted;
  if (fixed.length > 253 || !DNS_NAME.test(fixed)) return undefined;
  const fits = (name: string) => wild ? name.slice(name.indexOf(".") + 1) === fixed : name === fixed;
  return ({ names }) =>
    names.dns.map(normal).some((name) => DNS_NAME.test(name) && (!wild || name.includes(".")) && fits(name));
}

function uri(pattern: string): Matches | undefined {
  if (!URI_TEXT.test(pattern)) return undefined;
  if (!pattern.includes("*")) return ({ names }) => names.uris.includes(pattern);
  const parts = pattern.split("/");
  const deep = parts.at(-1) === "**";
  if (deep) parts.pop();
  // A `*` before the path would match URIs of other authorities.
  const begin = parts.slice(0, BEFORE_PATH);
  if (begin.length < BEFORE_PATH || begin[1] !== "" || begin[2] === "" || begin.join().includes("*")) {
    return undefined;
  }
  if (parts.some((part) => part.includes("**")) || /[?#%]/.test(pattern)) return undefined;
  const globs = parts.map(glob);
  const fits = (name: string) => {
    const segments = name.split("/");
    const isLong = deep ? segments.length > globs.length : segments.length === globs.length;
    return isLong && globs.every((one, i) => one(segments[i]!)) &&
      segments.slice(BEFORE_PATH).every((segment) => SEGMENT.test(segment));
  };
  return ({ names }) => names.uris.some(fits);
}

/** Lower-cases ASCII only: some other characters have an ASCII lower case. */
function normal(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/\.$/, "");
}

/**
 * Compiles a pattern in which `*` matches any number of characters, also none, and everything else is literal. Matching
 * takes linear time for any text.
 */
export function glob(pattern: string): (text: string) => boolean {
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (text.length < first.length + last.length) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const part of others) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
