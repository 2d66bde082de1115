import type { Socket } from "node:net";
import { SallyportError } from "../errors.ts";
import type { Transport, TransportEvents } from "../mux/transport.ts";
import { fromConnectionError } from "../tls/connection_error.ts";

/** Carries the frames of a session over a connected socket, plain or TLS, which it owns from now on. */
export class SocketTransport implements Transport {
  readonly #socket: Socket;
  #events: TransportEvents | undefined;
  #error: SallyportError | undefined;
  #closing = false;
  #over = false;

  /** @param socket A connected socket that nobody has read. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    // Never taken away: an error may still come after the end, and without a listener it ends the process.
    socket.on("error", (error) => this.#error ??= fromConnectionError(error, "keep the connection"));
  }

  /** Begins to deliver events; see {@linkcode Transport}. */
  start(events: TransportEvents): void {
    this.#events = events;
    const socket = this.#socket;
    socket.on("close", () => this.#finish());
    socket.on("data", (bytes: Uint8Array) => {
      // After `close` the peer's bytes are still read, or the kernel would answer them with a reset, which may
      // overtake what was written last.
      if (!this.#closing) events.data(bytes);
    });
    if (socket.closed) queueMicrotask(() => this.#finish());
  }

  /** Sends bytes; `written` runs when the kernel has them. */
  write(bytes: Uint8Array, written: () => void): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#socket.write(bytes, (error) => {
      if (!error && !this.#over) written();
    });
  }

  /** Sends what was written and then the end, and waits for the peer's: `abort` when that takes too long. */
  close(): void {
    this.#closing = true;
    this.#socket.end();
  }

  /** Cuts the connection. */
  abort(): void {
    this.#error ??= new SallyportError("tunnel_down", "Cannot go on: the connection was cut at this end");
    this.#socket.destroy();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#events?.closed(this.#closing ? undefined : this.#error);
  }
}
