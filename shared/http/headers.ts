import type { Socket } from "node:net";
import type { HeaderList } from "../protocol/messages.ts";

/** Hop-by-hop fields, in addition to those that `Connection` names (RFC 9110 section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Fields that `Connection` cannot remove: without them the message would mean something else. */
const NEVER_NAMED: ReadonlySet<string> = new Set(["content-length", "host", "te"]);

/** Fields that frame or route a message and so must not be trailers (RFC 9110 section 6.5.1). */
const NEVER_TRAILERS: ReadonlySet<string> = new Set(["content-length", "host", "trailer"]);

/**
 * Returns the list without hop-by-hop fields and those that `Connection` names (RFC 9110 section 7.6.1). Everything
 * else keeps its bytes, case, order and repetition.
 *
 * A `TE` that accepts trailers is kept as `TE: trailers`, because Sallyport forwards trailers. The caller has to name
 * it in `Connection` (RFC 9110 section 10.1.4).
 */
export function removeHopByHop(headers: HeaderList): HeaderList {
  const named = new Set(listedTokens(headers, "connection"));
  const kept: HeaderList = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    const key = name.toLowerCase();
    if (HOP_BY_HOP.has(key) || named.has(key) && !NEVER_NAMED.has(key)) continue;
    kept.push(name, headers[i + 1]!);
  }
  const te = listedTokens(headers, "te");
  return te.includes("trailers") ? [...kept, "TE", "trailers"] : kept;
}

/** Returns the trailers that may be forwarded: neither hop-by-hop nor framing (RFC 9110 section 6.5.1). */
export function removeFromTrailers(trailers: HeaderList): HeaderList {
  return withoutHeaders(removeHopByHop(trailers), NEVER_TRAILERS);
}

/**
 * Returns the list with a `Via` line at its end (RFC 9110 section 7.6.3).
 *
 * @param httpVersion The version of the message as it was received: `"1.1"`.
 * @param pseudonym The name of this proxy, instead of its host name.
 */
export function addVia(headers: HeaderList, httpVersion: string, pseudonym: string): HeaderList {
  return [...headers, "Via", `${httpVersion} ${pseudonym}`];
}

/** Returns every value of a field, in order; `name` in lower case. */
export function headerValues(headers: HeaderList, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === name) values.push(headers[i + 1]!);
  }
  return values;
}

/** Returns the list without the fields of `names`, which are in lower case. */
export function withoutHeaders(headers: HeaderList, names: ReadonlySet<string>): HeaderList {
  const kept: HeaderList = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!names.has(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}

/**
 * Returns the members of a comma-separated field, over all of its lines, in lower case and without their
 * parameters (RFC 9110 section 5.6.1); `name` in lower case.
 */
export function listedTokens(headers: HeaderList, name: string): string[] {
  return headerValues(headers, name)
    .flatMap((value) => value.split(","))
    .map((member) => member.split(";", 1)[0]!.trim().toLowerCase())
    .filter((member) => member !== "");
}

/**
 * Makes node:http write heads to `socket` byte for byte (RFC 9110 section 5.5: a value is bytes). It keeps a head as a
 * string with one character per byte, but does not always give an encoding when it writes it; without one, as in
 * `flushHeaders`, the socket's default counts. That is UTF-8, which turns each byte above 0x7f into two. Bodies are
 * written as bytes, so this affects only heads, chunk sizes and trailers.
 */
export function writeLatin1Heads(socket: Socket): void {
  socket.setDefaultEncoding("latin1");
}
