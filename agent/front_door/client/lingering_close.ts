import type { Socket } from "node:net";
import type { Clock } from "../../../shared/clock.ts";

/** Milliseconds that a client has to read the last response and close its side. */
const LINGER_TIMEOUT = 2_000;

/**
 * Sends `bytes`, if any, and closes the connection. Until the client closes its side, what it sends is read and
 * discarded: closing a socket with unread bytes sends a reset, which can overtake the response (RFC 9112
 * section 9.6).
 *
 * @param lingerMs Milliseconds that the client has to read the response and close its side. @default 2000
 */
export function lingeringClose(
  socket: Socket,
  clock: Clock,
  bytes?: Uint8Array,
  lingerMs = LINGER_TIMEOUT,
): void {
  if (socket.destroyed) return;
  socket.on("error", () => {});
  socket.once("close", clock.after(lingerMs, () => socket.destroy()));
  if (bytes === undefined) socket.end();
  else socket.end(bytes);
  socket.resume();
}
