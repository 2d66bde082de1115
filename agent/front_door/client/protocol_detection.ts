import type { Socket } from "node:net";
import type { Clock } from "../../../shared/clock.ts";

/** What a client speaks on the proxy port. */
export type ClientProtocol = "http" | "socks5";

/** The first byte of a SOCKS5 client (RFC 1928 section 3); no HTTP request starts with it. */
const SOCKS5_VERSION = 0x05;

/** Options of {@linkcode detectProtocol}. */
export interface DetectProtocolOptions {
  clock: Clock;
  /** Milliseconds for a connection's first byte. */
  firstByteTimeoutMs: number;
}

/**
 * Waits for a connection's first bytes and detects its protocol from the first one. A connection that ends or times out
 * before that is closed.
 *
 * @param onDetected Receives the protocol and the bytes that were read.
 */
export function detectProtocol(
  socket: Socket,
  { clock, firstByteTimeoutMs }: DetectProtocolOptions,
  onDetected: (protocol: ClientProtocol, bytes: Uint8Array) => void,
): void {
  const removeListeners = () => {
    cancelTimeout();
    socket.removeListener("data", onData);
    socket.removeListener("end", giveUp);
    socket.removeListener("close", removeListeners);
  };
  const giveUp = () => {
    removeListeners();
    socket.destroy();
  };
  const onData = (bytes: Uint8Array) => {
    removeListeners();
    onDetected(bytes[0] === SOCKS5_VERSION ? "socks5" : "http", bytes);
  };
  const cancelTimeout = clock.after(firstByteTimeoutMs, giveUp);
  socket.on("error", () => {});
  socket.on("end", giveUp);
  socket.on("close", removeListeners);
  socket.on("data", onData);
}
