import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { SallyportError } from "../errors.ts";
import type { Transport, TransportEvents } from "../mux/transport.ts";
import { hostPort } from "./host_port.ts";
import { fromConnectionError } from "./connection_error.ts";

/** Carries the frames of a session over a connected socket, plain or TLS, which it owns from now on. */
export class SocketTransport implements Transport {
  /** The peer's address and port at the start of the connection. */
  readonly remotes: readonly string[];
  readonly #socket: Socket;
  /** The socket that can be paused, if any. */
  readonly #source: Socket | undefined;
  #events: TransportEvents | undefined;
  #error: SallyportError | undefined;
  #closing = false;
  #paused = false;
  #over = false;

  /** @param socket A connected socket from which nothing has been read. */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.remotes = [remoteOf(socket)];
    this.#source = pausable(socket);
    socket.setNoDelay(true);
    // Never removed: an error may still come after the end, and without a listener it would end the process.
    socket.on("error", (error) => this.#error ??= fromConnectionError(error, "keep the connection"));
  }

  /** Begins to deliver events; see {@linkcode Transport}. */
  start(events: TransportEvents): void {
    this.#events = events;
    const socket = this.#socket;
    socket.on("close", () => this.#finish());
    socket.on("data", (bytes: Uint8Array) => {
      // After `close` the peer's bytes are still read: the kernel would answer unread ones with a reset, which may
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
   * Stops reading from the kernel, whose buffers fill up, so that the peer has to wait. It has no effect on a TLS
   * connection that was dialled: there the runtime continues to read, into an unbounded buffer.
   */
  pause(): void {
    this.#paused = true;
    // Not within a data event: a connection that is paused there never resumes (Deno 2.9.6).
    setImmediate(() => {
      if (this.#paused && !this.#over) this.#source?.pause();
    });
  }

  /** Reads again. */
  resume(): void {
    this.#paused = false;
    this.#source?.resume();
  }

  /** Sends what was written and then the end, and waits for the peer's end; `abort` if that takes too long. */
  close(): void {
    this.#closing = true;
    this.#socket.end();
  }

  /** The peer is no longer accepted: the user of the connection ends it with a last message; without a user it is cut. */
  reject(error: SallyportError): void {
    if (this.#events?.rejected === undefined) this.#socket.destroy(error);
    else this.#events.rejected(error);
  }

  /** Closes the connection at once. */
  abort(): void {
    this.#error ??= new SallyportError("tunnel_down", "Cannot continue: this end aborted the connection");
    this.#socket.destroy();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#events?.closed(this.#closing ? undefined : this.#error);
  }
}

/** An IPv4 address on an IPv6 socket is written as IPv4. */
function remoteOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined || remotePort === undefined) return "unknown";
  return hostPort(remoteAddress.replace(/^::ffff:(?=[\d.]+$)/i, ""), remotePort);
}

/** A paused TLS socket is read all the same. If it was accepted, the TCP connection below can be paused. */
function pausable(socket: Socket): Socket | undefined {
  const { _parent: beneath, encrypted } = socket as Socket & { _parent?: Socket | null; encrypted?: boolean };
  return beneath ?? (encrypted ? undefined : socket);
}
