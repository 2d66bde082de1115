import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { SallyportError } from "../errors.ts";
import type { Transport, TransportEvents } from "../mux/transport.ts";
import { hostPort } from "./host_port.ts";
import { fromConnectionError } from "../tls/connection_error.ts";

/** Carries the frames of a session over a connected socket, plain or TLS, which it owns from now on. */
export class SocketTransport implements Transport {
  /** The other end's address and port, when the connection began. */
  readonly remotes: readonly string[];
  readonly #socket: Socket;
  /** What can be paused, if anything can. */
  readonly #source: Socket | undefined;
  #events: TransportEvents | undefined;
  #error: SallyportError | undefined;
  #closing = false;
  #paused = false;
  #over = false;

  /** @param socket A connected socket that nobody has read. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.remotes = [remoteOf(socket)];
    this.#source = pausable(socket);
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

  /**
   * Stops reading from the kernel, whose buffers fill up, so that the peer has to wait. Over a TLS connection that
   * was dialled it does nothing: there the runtime reads on, into a buffer without a bound.
   */
  pause(): void {
    this.#paused = true;
    // Not within the event of bytes that arrive: a connection that is paused there never goes on (Deno 2.9.6).
    setImmediate(() => {
      if (this.#paused && !this.#over) this.#source?.pause();
    });
  }

  /** Goes on reading. */
  resume(): void {
    this.#paused = false;
    this.#source?.resume();
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

/** An IPv4 address that reached an IPv6 socket is written as IPv4. */
function remoteOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined || remotePort === undefined) return "unknown";
  return hostPort(remoteAddress.replace(/^::ffff:(?=[\d.]+$)/i, ""), remotePort);
}

/** A paused TLS socket is read all the same. Where it was accepted, the connection beneath can be paused. */
function pausable(socket: Socket): Socket | undefined {
  const { _parent: beneath, encrypted } = socket as Socket & { _parent?: Socket | null; encrypted?: boolean };
  return beneath ?? (encrypted ? undefined : socket);
}
