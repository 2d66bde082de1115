import { Buffer } from "node:buffer";
import { METHODS } from "node:http";
import { quote } from "../../../shared/text/sanitize.ts";
import { RequestError } from "../refusals/request_error.ts";

/** What node:http reports when its parser fails. */
export interface ParseError {
  readonly code?: string | undefined;
  /** The bytes that the parser got last. */
  readonly rawPacket?: Uint8Array | undefined;
  /** Where in them it stopped. */
  readonly bytesParsed?: number | undefined;
}

/** A complete request line (RFC 9112 section 3), whatever its parts contain. */
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +[^\s\0]+ +HTTP\/([0-9]+(?:\.[0-9]+)?)$/;
/** A request line with bytes above 0x7f allowed in path and query, but not in the authority. */
const UNESCAPED_LINE =
  /^((?!CONNECT )[A-Z-]+ +(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[\x21-\x22\x24-\x2e\x30-\x3e\x40-\x7e]*)?)([/?][\x21-\x7e\x80-\xff]*)( +HTTP\/1\.[01])$/;
/**
 * Methods that end in another method, or that another one ends in. The start of a method is not known: its first letters
 * may have come in the previous packet, and what precedes it may be the end of a body. `PROP` and `PATCH` would become
 * `PATCH`; a body `UN` and `LOCK` would become `UNLOCK`.
 */
const AMBIGUOUS_METHODS: ReadonlySet<string> = new Set(
  METHODS.filter((method) =>
    METHODS.some((other) => other !== method && (other.endsWith(method) || method.endsWith(other)))
  ),
);

/** Explains why a request cannot be parsed, with the status for the response. */
export function toRequestError(error: ParseError, maxHeaderBytes: number): RequestError {
  const { code } = error;
  if (code === "HPE_HEADER_OVERFLOW") {
    return cannotParse(`its head exceeds ${maxHeaderBytes} bytes`, 431, "Send a shorter URL or fewer fields");
  }
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") {
    return cannotParse("its chunk extensions are too long", 413, "Send chunks without extensions");
  }
  if (code === "HPE_PAUSED_H2_UPGRADE") return unsupportedVersion("2.0");
  const [, method, version] = REQUEST_LINE.exec(requestLineOf(error)?.text ?? "") ?? [];
  if (version !== undefined && version !== "1.1" && version !== "1.0") return unsupportedVersion(version);
  if (method !== undefined && stopsOutsideTarget(error)) {
    return cannotParse(
      `the method ${quote(method, 40)} is not supported in plain requests`,
      501,
      "Use a standard method, in capitals; through CONNECT, as for https:// URLs, any method works",
    );
  }
  const advice = stopsAtNonAscii(error)
    ? "Percent-encode the bytes of its URL that are not ASCII"
    : undefined;
  return cannotParse(`it is not valid HTTP/1.1 (${code})`, 400, advice);
}

/**
 * Percent-encodes bytes above 0x7f in the path and query of the request line at which the parser stopped: other
 * proxies accept them, but an envelope's path is visible ASCII (SPEC.md 4.2).
 *
 * @param startsRequest Whether the packet is known to start with a request.
 * @returns The escaped line and what followed it; undefined when the parser stopped at anything else.
 */
export function escapeTarget(error: ParseError, startsRequest: boolean): Uint8Array | undefined {
  const { rawPacket } = error;
  const line = requestLineOf(error);
  if (rawPacket === undefined || line === undefined || !stopsAtNonAscii(error)) return undefined;
  const [, before, target, after] = UNESCAPED_LINE.exec(line.text) ?? [];
  if (before === undefined || target === undefined) return undefined;
  const method = before.slice(0, before.indexOf(" "));
  if (AMBIGUOUS_METHODS.has(method) && !(startsRequest && line.start === 0)) return undefined;
  const escaped = target.replace(
    /[\x80-\xff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const rest = rawPacket.subarray(line.start + line.text.length);
  return Buffer.concat([Buffer.from(`${before}${escaped}${after}`, "latin1"), rest]);
}

function stopsAtNonAscii({ rawPacket, bytesParsed = 0 }: ParseError): boolean {
  return (rawPacket?.[bytesParsed] ?? 0) >= 0x80;
}

/** The request line at which the parser stopped, if it is complete. */
function requestLineOf(
  { rawPacket, bytesParsed = 0 }: ParseError,
): { start: number; text: string } | undefined {
  if (rawPacket === undefined) return undefined;
  const raw = Buffer.from(rawPacket.buffer, rawPacket.byteOffset, rawPacket.byteLength);
  const start = bytesParsed === 0 ? 0 : raw.lastIndexOf("\n", bytesParsed - 1) + 1;
  const end = raw.indexOf("\r\n", bytesParsed);
  const isFirst = start === 0 ||
    raw.subarray(Math.max(0, start - 4), start).toString("latin1") === "\r\n\r\n";
  return isFirst && end >= 0 ? { start, text: raw.toString("latin1", start, end) } : undefined;
}

/** Whether the parser stopped in the method, or at a version that it does not accept with this method. */
function stopsOutsideTarget(error: ParseError): boolean {
  const { start, text } = requestLineOf(error)!;
  const at = (error.bytesParsed ?? 0) - start;
  return at <= text.indexOf(" ") || at > text.lastIndexOf(" ");
}

function unsupportedVersion(version: string): RequestError {
  return cannotParse(
    `its version is HTTP/${version}, only HTTP/1.1 and HTTP/1.0 are supported`,
    505,
    "Use HTTP/1.1",
  );
}

function cannotParse(reason: string, status: number, advice?: string): RequestError {
  return new RequestError(
    `Cannot parse the request: ${reason}`,
    advice === undefined ? { status } : { status, advice },
  );
}
