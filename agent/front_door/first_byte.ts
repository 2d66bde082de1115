import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";

/** The first byte of a SOCKS5 client (RFC 1928 section 3); no HTTP request begins with it. */
export const SOCKS5 = 0x05;

/** How long {@linkcode withFirstByte} waits. */
export interface FirstByteOptions {
  clock: Clock;
  /** Milliseconds for a connection's first byte. */
  firstByteTimeoutMs: number;
}

/** Waits for a connection's first bytes; one that sends none in time, or never will, is closed. */
export function withFirstByte(
  socket: Socket,
  { clock, firstByteTimeoutMs }: FirstByteOptions,
  take: (bytes: Uint8Array) => void,
): void {
  const leave = () => {
    cancel();
    socket.removeListener("data", onData);
    socket.removeListener("end", giveUp);
    socket.removeListener("close", leave);
  };
  const giveUp = () => {
    leave();
    socket.destroy();
  };
  const onData = (bytes: Uint8Array) => {
    leave();
    take(bytes);
  };
  const cancel = clock.after(firstByteTimeoutMs, giveUp);
  socket.on("error", () => {});
  socket.on("end", giveUp);
  socket.on("close", leave);
  socket.on("data", onData);
}
