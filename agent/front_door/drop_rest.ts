import type { IncomingMessage, ServerResponse } from "node:http";
import type { CancelTimer } from "../../shared/clock.ts";
import type { FrontDoorContext } from "./context.ts";

/** Milliseconds for the rest of a body that nobody wants, after which a client that was answered is cut. */
const PATIENCE = 5_000;
const dropping = new WeakSet<IncomingMessage>();

/**
 * Reads and drops what is left of a request's body, so that the connection can go on. Some clients send all of
 * it whatever they were answered, and a body may have no end: such a connection is closed (RFC 9112 section 9.6).
 */
export function dropRest(
  { clock }: Pick<FrontDoorContext, "clock">,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume();
  if (request.complete || request.socket.destroyed || dropping.has(request)) return;
  dropping.add(request);
  let cancel: CancelTimer;
  const wait = () => cancel = clock.after(PATIENCE, look);
  const look = () => {
    // An answer that is still under way has to arrive first.
    if (response.writableFinished || response.destroyed) request.socket.destroy();
    else wait();
  };
  wait();
  const stop = () => cancel();
  request.once("end", stop);
  // The request itself is not always told.
  request.socket.once("close", stop);
}
