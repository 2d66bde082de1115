import { quote } from "../../text/sanitize.ts";
import type { IncomingMessage } from "node:http";
import { SallyportError } from "../../errors.ts";
import {
  addVia,
  headerValues,
  removeFromTrailers,
  removeHopByHop,
  withoutHeaders,
} from "../../http/headers.ts";
import type { MuxStream } from "../../mux/stream/stream.ts";
import type { HeaderList } from "../../protocol/messages.ts";
import { FIELD_TEXT } from "../../protocol/shape.ts";
import { invalidResponse } from "../filter/canonical_head.ts";
import { PSEUDONYM } from "./request_head.ts";

/** Longest reason phrase on the wire, in characters (SPEC.md 4.2). */
const REASON_LENGTH = 1_024;

/** A response's head as it is sent to the agent. */
export interface ResponseHead {
  status: number;
  reason: string;
  headers: HeaderList;
}

/** A response head as node:http gives it, interim ones included. */
export interface RawHead {
  statusCode?: number | undefined;
  statusMessage?: string | undefined;
  httpVersion: string;
  rawHeaders: string[];
}

/**
 * Makes a response's head: without hop-by-hop fields, with `Via`. All other fields keep their bytes, case and order.
 *
 * @throws SallyportError `target_protocol` when the body has a transfer coding other than chunked, or the head is not
 * one of HTTP/1.
 */
export function responseHead(raw: RawHead): ResponseHead {
  requireReadable(raw);
  const codings = headerValues(raw.rawHeaders, "transfer-encoding");
  // node:http decodes chunks only if that is the only coding.
  if (codings.length > 0 && codings.join(",").trim().toLowerCase() !== "chunked") {
    throw invalidResponse(`its Transfer-Encoding is ${quote(codings.join(", "))}`);
  }
  const kept = removeHopByHop(raw.rawHeaders);
  // If both are present the chunks count (RFC 9112 section 6.3).
  const headers = codings.length > 0 ? withoutHeaders(kept, new Set(["content-length"])) : kept;
  return {
    status: raw.statusCode ?? 0,
    reason: (raw.statusMessage ?? "").slice(0, REASON_LENGTH),
    headers: addVia(headers, raw.httpVersion, PSEUDONYM),
  };
}

/** Refuses what the parser of node:http accepts and the agent must not get. */
function requireReadable({ httpVersion, statusCode = 0, statusMessage = "" }: RawHead): void {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") throw invalidResponse(`it is HTTP/${httpVersion}`);
  if (statusCode < 100) throw invalidResponse(`its status is ${statusCode}`);
  if (!FIELD_TEXT.test(statusMessage)) throw invalidResponse("its reason phrase has control characters");
}

/** Events of {@linkcode relayBody}. */
export interface BodyEvents {
  /** Bytes were relayed. */
  touch(): void;
  /** The whole body was written to the stream, which was ended. */
  ended(): void;
  /** The body ended early; the stream is still open. */
  failed(reason: unknown): void;
}

/** Relays a response's body and trailers to the stream; the origin waits while the stream is full. */
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
  // An origin that closes in the middle of the body does not always cause an error event.
  response.on("close", () => fail(endedEarly()));
}

function endedEarly(): SallyportError {
  return new SallyportError(
    "target_reset",
    "Cannot continue: the target closed the connection in the middle of the response",
  );
}
