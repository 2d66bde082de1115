import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";

/** Milliseconds that a client has to read the last answer and close its side. */
const LINGER = 2_000;

/**
 * Says `bytes`, if any, and ends the connection. What the client still sends is read and dropped, since
 * closing over unread bytes makes the system send a reset, which can overtake the answer (RFC 9112
 * section 9.6).
 *
 * @param lingerMs Milliseconds that the client has to read it and to close its side. @default 2000
 */
export function closeGently(socket: Socket, clock: Clock, bytes?: Uint8Array, lingerMs = LINGER): void {
  if (socket.destroyed) return;
  socket.on("error", () => {});
  socket.once("close", clock.after(lingerMs, () => socket.destroy()));
  if (bytes === undefined) socket.end();
  else socket.end(bytes);
  socket.resume();
}
