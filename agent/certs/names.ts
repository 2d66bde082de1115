import { isIP } from "node:net";
import { printable } from "../../shared/display_text.ts";
import { SallyportError } from "../../shared/errors.ts";
import type { AlternativeName } from "./authority.ts";

/** What can be put behind `--name`, in words. */
export const FILE_NAME_RULE =
  "1 to 60 letters, digits and . _ @ + -, the first of them a letter or a digit, and not ca or crl";
/** What can be put behind `--serial`, in words. */
export const SERIAL_RULE = "1 to 20 bytes in hex, with or without colons between them";

const FILE_NAME = /^[a-z0-9][a-z0-9._@+-]{0,59}$/i;
/** Their files belong to the authority; some file systems do not tell capitals. */
const TAKEN = /^(ca|crl)$/i;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** RFC 5280 section 4.1.2.2. */
const MAX_SERIAL_DIGITS = 40;

/** Tells whether a certificate's files can have that name: it cannot lead out of the folder, nor be overlooked. */
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
  const rule = "no line ends, escapes or other hidden characters";
  throw new SallyportError("bad_request", `Cannot use the common name "${shown}": expected ${rule}`);
}

/** Writes a serial number as two can be compared, hex in lower case without zeros before it; undefined for any other text. */
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

/** Tells whether a text is a name of DNS, or a pattern for all names below one (RFC 6125 section 6.4.3). */
export function isDnsName(text: string): boolean {
  const labels = text.replace(/^\*\./, "").split(".");
  return text.length <= 253 && isIP(text) === 0 && labels.every((label) => LABEL.test(label));
}

/** Tells whether a text is a URI with a scheme, written in visible ASCII (RFC 5280 section 4.2.1.6). */
export function isUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) && URL.canParse(text);
}

/** The alternative name of a server: an address or a name of DNS, whichever it is. */
export function serverAlternativeName(name: string): AlternativeName {
  if (isIP(name) !== 0) return { type: "ip", value: name };
  if (!isDnsName(name)) throw unusable("server name", name, "a host name or an address");
  return { type: "dns", value: name };
}

/**
 * The alternative names that somebody asked for.
 *
 * @throws {SallyportError} `bad_request` when one cannot be.
 */
export function alternativeNames(dns: readonly string[], uri: readonly string[]): AlternativeName[] {
  const badName = dns.find((name) => !isDnsName(name));
  if (badName !== undefined) throw unusable("name of DNS", badName, "a host name, or *. and one");
  const badUri = uri.find((name) => !isUri(name));
  if (badUri !== undefined) throw unusable("URI", badUri, "a scheme and the rest in visible ASCII");
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
