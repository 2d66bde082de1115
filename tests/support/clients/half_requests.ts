import { connect, type Socket } from "node:net";
import { within } from "../within.ts";

/** The first bytes of a request whose head never ends. */
export const HALF_REQUEST = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-";
/** The first bytes of a SOCKS5 handshake that stops: two methods are announced and none follows (RFC 1928 section 3). */
export const HALF_HANDSHAKE = "\x05\x02";

/** Milliseconds in which all of them have to be sent. */
const SENT = 30_000;

/** Many clients that send the beginning of a request and wait. */
export class HalfRequests implements Disposable {
  /** Settles when the other end has closed all of them. */
  readonly ended: Promise<unknown>;

  private constructor(readonly sockets: readonly Socket[]) {
    this.ended = Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    );
  }

  /** Resolves when each of `count` clients has sent `bytes` or was closed. */
  static async send(port: number, bytes: string, count: number): Promise<HalfRequests> {
    const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1"));
    const requests = new HalfRequests(sockets);
    const sent = sockets.map((socket) => {
      socket.on("error", () => {}).resume(); // `close` follows
      return new Promise<void>((resolve) => {
        socket.once("close", () => resolve()).write(bytes, "latin1", () => resolve());
      });
    });
    await within(SENT, Promise.all(sent), "every half request is sent");
    return requests;
  }

  [Symbol.dispose](): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
