import { quote } from "../../text/sanitize.ts";
import { SallyportError } from "../../errors.ts";
import { addVia, headerValues, listedTokens, removeHopByHop, withoutHeaders } from "../../http/headers.ts";
import type { HeaderList, Payload } from "../../protocol/messages.ts";

/** What this proxy calls itself in `Via`. */
export const PSEUDONYM = "sallyport";

/** A request's head as it goes to the origin. */
export interface RequestHead {
  method: string;
  path: string;
  headers: HeaderList;
  /** How the body is delimited: by its length, or by chunks. */
  framing: { length: number } | "chunked";
}

/** Methods whose requests have no content unless they say so (RFC 9110 section 9.3). */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/**
 * Makes a request's head: without hop-by-hop fields, with `Via` and, where the client sent none, `Host`. All other
 * fields keep their bytes, case and order.
 *
 * @param hasBody Whether the request has a body, or may still get one.
 * @param keepAlive Whether the connection serves further requests.
 * @throws SallyportError `bad_request` for a request whose end or host is ambiguous.
 */
export function requestHead(
  request: Payload<"http_request">,
  hasBody: boolean,
  keepAlive: boolean,
): RequestHead {
  const { method, path } = request;
  // llhttp accepts methods in capitals only, and CONNECT has its own message.
  if (method === "CONNECT") throw invalidRequest("its method is CONNECT");
  requirePlainChunks(request.headers);
  const headers = hostFirst(removeHopByHop(request.headers), request.host, request.port);
  const length = contentLength(headers);
  const framing = length !== undefined ? { length } : hasBody ? "chunked" as const : { length: 0 };
  const framed = frame(headers, framing, length === undefined && !WITHOUT_CONTENT.has(method));
  const via = addVia(framed, "1.1", PSEUDONYM);
  const connection = keepAlive ? "keep-alive" : "close";
  // TE is for the next hop only, and Connection has to name it (RFC 9110 section 10.1.4).
  const acceptsTrailers = headerValues(headers, "te").length > 0;
  return {
    ...{ method, path, framing },
    headers: [...via, "Connection", acceptsTrailers ? `TE, ${connection}` : connection],
  };
}

/** Puts `Host` in front, made from the target, when the client sent none (RFC 9112 section 3.2). */
export function hostFirst(headers: HeaderList, host: string, port: number): HeaderList {
  const hosts = headerValues(headers, "host");
  if (hosts.length > 1) throw invalidRequest(`it has ${hosts.length} Host fields`);
  if (hosts.length === 1) return headers;
  const name = host.includes(":") ? `[${host}]` : host;
  return ["Host", port === 80 ? name : `${name}:${port}`, ...headers];
}

/**
 * Refuses a request to switch protocols that announces content: its sender takes the following bytes for the new
 * protocol, while the origin would wait for the content.
 *
 * @throws SallyportError `bad_request`
 */
export function requireNoContent(headers: HeaderList): void {
  const announced = headerValues(headers, "transfer-encoding").length > 0 ||
    (contentLength(headers) ?? 0) > 0;
  if (announced) throw invalidRequest("it asks to switch protocols and announces content");
}

/** Whether the request authenticates the connection itself, which then no other client may use (RFC 4559). */
export function authenticatesConnection(headers: HeaderList): boolean {
  return headerValues(headers, "authorization").some((value) => /^(?:ntlm|negotiate)\b/i.test(value));
}

function frame(headers: HeaderList, framing: RequestHead["framing"], announceEmpty: boolean): HeaderList {
  if (framing === "chunked") return [...headers, "Transfer-Encoding", "chunked"];
  // Only chunks can have trailers, so none are announced.
  const kept = withoutHeaders(headers, new Set(["trailer"]));
  return announceEmpty ? [...kept, "Content-Length", "0"] : kept;
}

/** Any coding but chunked belongs to the hop and would have to be decoded here. */
function requirePlainChunks(headers: HeaderList): void {
  const codings = listedTokens(headers, "transfer-encoding");
  if (codings.some((coding) => coding !== "chunked")) {
    throw invalidRequest(`its Transfer-Encoding is ${codings.join(", ")}`);
  }
}

function contentLength(headers: HeaderList): number | undefined {
  const values = headerValues(headers, "content-length");
  if (values.length === 0) return undefined;
  if (values.length > 1) throw invalidRequest(`it has ${values.length} Content-Length fields`);
  const length = /^\d{1,15}$/.test(values[0]!) ? Number(values[0]) : NaN;
  if (Number.isNaN(length)) throw invalidRequest(`its Content-Length is ${quote(values[0]!, 40)}`);
  return length;
}

function invalidRequest(why: string): SallyportError {
  return new SallyportError("bad_request", `Cannot forward the request: ${why}`);
}
