import { SallyportError } from "../errors.ts";
import { addVia, headerValues, listedTokens, removeHopByHop, withoutHeaders } from "../http/headers.ts";
import type { HeaderList, Payload } from "../protocol/messages.ts";

/** What this proxy calls itself in `Via`. */
export const PSEUDONYM = "sallyport";

/** A request's head as it goes to the origin. */
export interface RequestHead {
  method: string;
  path: string;
  headers: HeaderList;
  /** How the body is told from what follows: its length, or in chunks. */
  framing: { length: number } | "chunked";
}

/** Methods whose requests have no content unless they say so (RFC 9110 section 9.3). */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/**
 * Makes a request's head: hop-by-hop fields out, `Via` and, where the client sent none, `Host` in; all other
 * fields keep their bytes, case and order.
 *
 * @param hasBody Whether a body came or may still come.
 * @param keepAlive Whether the connection serves further requests.
 * @throws SallyportError `bad_request` for a request whose end or host could be read in two ways.
 */
export function requestHead(
  request: Payload<"http_request">,
  hasBody: boolean,
  keepAlive: boolean,
): RequestHead {
  const { method, path } = request;
  // llhttp takes methods in capitals only, and CONNECT has a message of its own.
  if (method === "CONNECT") throw bad("its method is CONNECT");
  requirePlainChunks(request.headers);
  const headers = hostFirst(removeHopByHop(request.headers), request.host, request.port);
  const length = contentLength(headers);
  const framing = length !== undefined ? { length } : hasBody ? "chunked" as const : { length: 0 };
  const framed = frame(headers, framing, length === undefined && !WITHOUT_CONTENT.has(method));
  const via = addVia(framed, "1.1", PSEUDONYM);
  const connection = keepAlive ? "keep-alive" : "close";
  // TE is only for the next hop, and must be named as that (RFC 9110 section 10.1.4).
  const acceptsTrailers = headerValues(headers, "te").length > 0;
  return {
    ...{ method, path, framing },
    headers: [...via, "Connection", acceptsTrailers ? `TE, ${connection}` : connection],
  };
}

/** Puts `Host` in front, made from the target, when the client sent none (RFC 9112 section 3.2). */
export function hostFirst(headers: HeaderList, host: string, port: number): HeaderList {
  const hosts = headerValues(headers, "host");
  if (hosts.length > 1) throw bad(`it has ${hosts.length} Host fields`);
  if (hosts.length === 1) return headers;
  const name = host.includes(":") ? `[${host}]` : host;
  return ["Host", port === 80 ? name : `${name}:${port}`, ...headers];
}

/**
 * Refuses a request to switch protocols that announces content: its sender takes what follows for the new
 * protocol's, the origin would wait for it.
 *
 * @throws SallyportError `bad_request`
 */
export function requireNoContent(headers: HeaderList): void {
  const announced = headerValues(headers, "transfer-encoding").length > 0 ||
    (contentLength(headers) ?? 0) > 0;
  if (announced) throw bad("it asks to switch protocols and announces content");
}

/** Whether the origin will take the connection for the user's: then nobody else may be given it (RFC 4559). */
export function authenticatesConnection(headers: HeaderList): boolean {
  return headerValues(headers, "authorization").some((value) => /^(?:ntlm|negotiate)\b/i.test(value));
}

function frame(headers: HeaderList, framing: RequestHead["framing"], sayEmpty: boolean): HeaderList {
  if (framing === "chunked") return [...headers, "Transfer-Encoding", "chunked"];
  // Only chunks can be followed by trailers, so none are announced.
  const kept = withoutHeaders(headers, new Set(["trailer"]));
  return sayEmpty ? [...kept, "Content-Length", "0"] : kept;
}

/** Any coding but chunks belongs to the hop and would have to be undone here. */
function requirePlainChunks(headers: HeaderList): void {
  const codings = listedTokens(headers, "transfer-encoding");
  if (codings.some((coding) => coding !== "chunked")) {
    throw bad(`its Transfer-Encoding is ${codings.join(", ")}`);
  }
}

function contentLength(headers: HeaderList): number | undefined {
  const values = headerValues(headers, "content-length");
  if (values.length === 0) return undefined;
  if (values.length > 1) throw bad(`it has ${values.length} Content-Length fields`);
  const length = /^\d{1,15}$/.test(values[0]!) ? Number(values[0]) : NaN;
  if (Number.isNaN(length)) throw bad(`its Content-Length is ${JSON.stringify(values[0]!.slice(0, 40))}`);
  return length;
}

function bad(why: string): SallyportError {
  return new SallyportError("bad_request", `Cannot pass the request on: ${why}`);
}
