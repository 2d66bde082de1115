import { isIP } from "node:net";
import { printable } from "../../../shared/text/sanitize.ts";
import { SallyportError } from "../../../shared/errors.ts";
import { isHostName } from "../../../shared/net/host_name.ts";
import type { AlternativeName } from "./certificate_authority.ts";

/** What `--name` accepts, for messages. */
export const FILE_NAME_RULE =
  "1 to 60 letters, digits and . _ @ + -, starting with a letter or digit, other than ca and crl";
/** What `--serial` accepts, for messages. */
export const SERIAL_RULE = "1 to 20 bytes in hex, with or without colons";

const FILE_NAME = /^[a-z0-9][a-z0-9._@+-]{0,59}$/i;
/** Names of the CA's own files; some file systems ignore case. */
const TAKEN = /^(ca|crl)$/i;
/** RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_DIGITS = 40;

/** Tells whether a certificate's files can have that name: it is no path out of the folder, and no hidden file. */
export function isFileName(name: string): boolean {
  return FILE_NAME.test(name) && !TAKEN.test(name);
}

/**
 * Checks the name of a certificate's files.
 *
 * @throws {SallyportError} `bad_request` when it is not what {@linkcode FILE_NAME_RULE} says.
 */
export function requireFileName(name: string): void {
  if (!isFileName(name)) throw unusable("name", name, FILE_NAME_RULE);
}

/**
 * Checks the common name of a certificate, which logs and reports show.
 *
 * @throws {SallyportError} `bad_request` when it has hidden characters.
 */
export function requireCommonName(name: string): void {
  const shown = printable(name);
  if (shown === name) return;
  const rule = "no line breaks, escapes or other hidden characters";
  throw new SallyportError("bad_request", `Cannot use the common name "${shown}": expected ${rule}`);
}

/** Normalizes a serial number: hex in lower case without leading zeros; undefined for any other text. */
export function serialOf(text: string): string | undefined {
  const digits = text.replace(/^0x/i, "").replaceAll(":", "").toLowerCase();
  const isHex = /^[0-9a-f]+$/.test(digits) && !/^:|::|:$/.test(text);
  const trimmed = digits.replace(/^0+(?=.)/, "");
  if (!isHex || trimmed.length > MAX_SERIAL_DIGITS) return undefined;
  return trimmed.length % 2 === 0 ? trimmed : `0${trimmed}`;
}

/**
 * Reads a serial number; see {@linkcode serialOf}.
 *
 * @throws {SallyportError} `bad_request` when it is not what {@linkcode SERIAL_RULE} says.
 */
export function requireSerial(text: string): string {
  const serial = serialOf(text);
  if (serial === undefined) throw unusable("serial number", text, SERIAL_RULE);
  return serial;
}

/** Tells whether a text is a DNS name or a wildcard (`*.` and a name) (RFC 6125 section 6.4.3). */
export function isDnsName(text: string): boolean {
  return isIP(text) === 0 && isHostName(text, { edgeHyphens: false, finalDot: false, wildcard: true });
}

/** Tells whether a text is a URI with a scheme, written in visible ASCII (RFC 5280 section 4.2.1.6). */
export function isUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) && URL.canParse(text);
}

/** Tells whether a server's certificate can carry a name: an address or a DNS name. */
export function isServerName(text: string): boolean {
  return isIP(text) !== 0 || isDnsName(text);
}

/** Returns the alternative name of a server, which is an address or a DNS name. */
export function serverAlternativeName(name: string): AlternativeName {
  if (isIP(name) !== 0) return { type: "ip", value: name };
  if (!isDnsName(name)) throw unusable("server name", name, "a host name or an address");
  return { type: "dns", value: name };
}

/**
 * Returns DNS names and URIs as alternative names.
 *
 * @throws {SallyportError} `bad_request` when one is invalid.
 */
export function alternativeNames(dns: readonly string[], uri: readonly string[]): AlternativeName[] {
  const badName = dns.find((name) => !isDnsName(name));
  if (badName !== undefined) throw unusable("DNS name", badName, "a host name, or *. and a host name");
  const badUri = uri.find((name) => !isUri(name));
  if (badUri !== undefined) throw unusable("URI", badUri, "a scheme and visible ASCII characters");
  return [
    ...dns.map((value) => ({ type: "dns", value }) as const),
    ...uri.map((value) => ({ type: "uri", value }) as const),
  ];
}

function unusable(what: string, text: string, rule: string): SallyportError {
  return new SallyportError(
    "bad_request",
    `Cannot use the ${what} ${JSON.stringify(text)}: expected ${rule}`,
  );
}
