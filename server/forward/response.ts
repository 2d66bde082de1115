import type { IncomingMessage } from "node:http";
import { SallyportError } from "../../shared/errors.ts";
import {
  addVia,
  listedTokens,
  removeFromTrailers,
  removeHopByHop,
  withoutHeaders,
} from "../../shared/http/headers.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { HeaderList } from "../../shared/protocol/messages.ts";
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
 * connection should have seen.
 */
export function responseHead(raw: RawHead): ResponseHead {
  const codings = listedTokens(raw.rawHeaders, "transfer-encoding");
  if (codings.some((coding) => coding !== "chunked")) {
    const message = `Cannot read the answer: its Transfer-Encoding is ${codings.join(", ")}`;
    throw new SallyportError("target_protocol", message.slice(0, 200));
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
