import { SallyportError } from "../errors.ts";
import { glob } from "./glob.ts";

/** The names of a client, as its certificate has them. */
export interface ClientNames {
  /** Common name of the subject; "" when it has none. */
  readonly commonName: string;
  /** Alternative names: DNS names and URIs. */
  readonly names: { readonly dns: readonly string[]; readonly uris: readonly string[] };
}

/** Tells some clients from others. */
export interface ClientPattern {
  /** The pattern as it was written, for logs. */
  readonly text: string;
  /** Whether one of the client's names is as the pattern says. */
  matches(client: ClientNames): boolean;
}

/**
 * Reads a pattern, which names one kind of name:
 *
 * - `cn:` the common name, letter for letter; `*` is any run of characters, none included. A common name is free
 *   text, so whoever may choose a part of it may choose all that `*` stands for.
 * - `dns:` a DNS name, whatever its case; `*.` in front is exactly one label (RFC 9525 section 6.3).
 * - `uri:` a URI, letter for letter; in the path of `scheme://authority/path`, `*` is any run of characters within
 *   a segment, which is never empty, and `**` as the last segment is one segment or more.
 *
 * No pattern matches a name with control or invisible characters, or one that could not be decoded; none of `dns:`
 * and `uri:` one that is not ASCII; no `*` matches percent signs, `.` and `..`, a query or a fragment of a URI, or
 * the `*` of a wildcard certificate.
 *
 * @throws SallyportError `bad_request` for any other text.
 */
export function parseClientPattern(text: string): ClientPattern {
  const [, kind, rest = ""] = /^(cn|dns|uri):(.*)$/su.exec(text) ?? [];
  const matches = kind === "cn" ? commonName(rest) : kind === "dns" ? dnsName(rest) : kind && uri(rest);
  if (matches) return { text, matches };
  const shown = JSON.stringify(text);
  throw new SallyportError("bad_request", `Cannot read a pattern of clients: current value is ${shown}`);
}

type Matches = ClientPattern["matches"];

/** Control, format and unassigned characters, line ends, halves of pairs, and what stands for undecodable bytes. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\ufffd]/u;
const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const DNS_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
/** A segment of characters that mean themselves (RFC 3986 section 3.3), and no step such as `..`. */
const SEGMENT = /^(?!\.\.?$)[A-Za-z0-9_~!$&'()+,;=:@.-]+$/;
const URI_TEXT = /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i;
/** What of a URI stands before its path, when it is cut at slashes: `spiffe:`, "", `corp.example`. */
const BEFORE_PATH = 3;

function commonName(pattern: string): Matches | undefined {
  if (pattern === "" || HIDDEN.test(pattern)) return undefined;
  const fits = glob(pattern);
  return ({ commonName: name }) => name !== "" && !HIDDEN.test(name) && fits(name);
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
  // A `*` before the path would leave open whose URIs they are.
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

/** Only ASCII has a case here: the lower case of some other characters is ASCII. */
function normal(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/\.$/, "");
}
