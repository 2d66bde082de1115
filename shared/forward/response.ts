import type { IncomingMessage } from "node:http";
import { SallyportError } from "../errors.ts";
import { addVia, headerValues, removeFromTrailers, removeHopByHop, withoutHeaders } from "../http/headers.ts";
import type { MuxStream } from "../mux/stream.ts";
import type { HeaderList } from "../protocol/messages.ts";
import { FIELD_TEXT } from "../protocol/shape.ts";
import { PSEUDONYM } from "./request_head.ts";

/** The most characters of a status text that travel (SPEC.md 4.2). */
const REASON_LENGTH = 1_024;

/** A response's head as it travels. */
export interface ResponseHead {
  status: number;
  reason: string;
  headers: HeaderList;
}

/** What node:http tells of a head, interim ones included. */
export interface RawHead {
  statusCode?: number | undefined;
  statusMessage?: string | undefined;
  httpVersion: string;
  rawHeaders: string[];
}

/**
 * Makes a response's head: hop-by-hop fields out, `Via` in; all other fields keep bytes, case and order.
 *
 * @throws SallyportError `target_protocol` when the body has a transfer coding that only the origin's
 * connection should have seen, and when the head is none of HTTP/1.
 */
export function responseHead(raw: RawHead): ResponseHead {
  requireReadable(raw);
  const codings = headerValues(raw.rawHeaders, "transfer-encoding");
  // node:http takes for chunks only what says so and nothing else.
  if (codings.length > 0 && codings.join(",").trim().toLowerCase() !== "chunked") {
    throw bad(`its Transfer-Encoding is ${JSON.stringify(codings.join(", ").slice(0, 100))}`);
  }
  const kept = removeHopByHop(raw.rawHeaders);
  // Where both are there the chunks count (RFC 9112 section 6.3).
  const headers = codings.length > 0 ? withoutHeaders(kept, new Set(["content-length"])) : kept;
  return {
    status: raw.statusCode ?? 0,
    reason: (raw.statusMessage ?? "").slice(0, REASON_LENGTH),
    headers: addVia(headers, raw.httpVersion, PSEUDONYM),
  };
}

/** What node:http's parser lets pass, and what must not travel. */
function requireReadable({ httpVersion, statusCode = 0, statusMessage = "" }: RawHead): void {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") throw bad(`it is HTTP/${httpVersion}`);
  if (statusCode < 100) throw bad(`its status is ${statusCode}`);
  if (!FIELD_TEXT.test(statusMessage)) throw bad("its reason phrase has control characters");
}

function bad(why: string): SallyportError {
  return new SallyportError("target_protocol", `Cannot read the answer: ${why}`);
}

/** Who hears how a response's body goes. */
export interface BodyEvents {
  /** Bytes passed. */
  touch(): void;
  /** The whole body was written to the stream, which was ended. */
  ended(): void;
  /** The body broke off; the stream is still open. */
  failed(reason: unknown): void;
}

/** Writes a response's body and trailers to the stream; the origin is held back while the stream is full. */
export function relayBody(response: IncomingMessage, stream: MuxStream, events: BodyEvents): void {
  let over = false;
  const fail = (reason: unknown) => {
    if (over) return;
    over = true;
    events.failed(reason);
  };
  response.on("data", (bytes: Uint8Array) => {
    events.touch();
    if (!stream.write(bytes)) response.pause();
  });
  response.on("end", () => {
    if (over || !response.complete) return;
    over = true;
    const trailers = removeFromTrailers(response.rawTrailers);
    stream.end(trailers.length > 0 ? trailers : undefined);
    events.ended();
  });
  response.on("error", fail);
  // An origin that goes away in mid-body does not always make an error.
  response.on("close", () => fail(brokenOff()));
}

function brokenOff(): SallyportError {
  return new SallyportError("target_reset", "Cannot go on: the target broke the answer off");
}
