import type { IncomingMessage, ServerResponse } from "node:http";
import type { CancelTimer } from "../../../shared/clock.ts";
import { removeFromTrailers } from "../../../shared/http/headers.ts";
import type { HeaderList } from "../../../shared/protocol/messages.ts";
import type { FrontDoorContext } from "../client/context.ts";

/** Milliseconds for the rest of an unwanted body, after which the client's connection is closed. */
const DISCARD_TIMEOUT = 5_000;
const discarding = new WeakSet<IncomingMessage>();

/** Whether a request has a body (RFC 9112 section 6.3). */
export function hasRequestBody({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The trailers of a complete request that are forwarded, if any. */
export function requestTrailers(request: IncomingMessage): HeaderList | undefined {
  const trailers = removeFromTrailers(request.rawTrailers);
  return trailers.length > 0 ? trailers : undefined;
}

/**
 * Reads and discards what is left of a request's body, so that the connection can be used again. Some clients send
 * the whole body whatever the response was, and a body may have no end: then the connection is closed (RFC 9112
 * section 9.6).
 */
export function discardRequestBody(
  { clock }: Pick<FrontDoorContext, "clock">,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume();
  if (request.complete || request.socket.destroyed || discarding.has(request)) return;
  discarding.add(request);
  let cancel: CancelTimer;
  const wait = () => cancel = clock.after(DISCARD_TIMEOUT, expire);
  const expire = () => {
    // A response that is still being sent has to arrive first.
    if (response.writableFinished || response.destroyed) request.socket.destroy();
    else wait();
  };
  wait();
  const stop = () => cancel();
  request.once("end", stop);
  // The request does not always emit "close".
  request.socket.once("close", stop);
}

/**
 * Closes the connection after the response if the client waits for `100 Continue` and did not get it: it may never
 * send the body, and then its next request would be read as that body (RFC 9110 section 10.1.1).
 */
export function closeIfContinueIsPending(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect !== undefined && !request.complete) response.shouldKeepAlive = false;
}
