import { SallyportError } from "../../../shared/errors.ts";
import type { Transport, TransportEvents } from "../../../shared/mux/transport.ts";

/** One end of a connection in memory; bytes arrive in a later task, as from a socket. */
export class MemoryTransport implements Transport {
  #peer: MemoryTransport | undefined;
  #events: TransportEvents | undefined;
  #over = false;
  /** Writes that wait while this end pauses reading. */
  #waiting: { bytes: Uint8Array; written: () => void }[] | undefined;
  #closing = false;

  /** Resolves when nothing is in flight on any connection, including closed ones. */
  static settled(): Promise<void> {
    return queue.length === 0 ? Promise.resolve() : new Promise((resolve) => later(resolve));
  }

  /** Two ends of one connection. */
  static pair(): [MemoryTransport, MemoryTransport] {
    const near = new MemoryTransport();
    return [near, near.connect()];
  }

  /** Makes the other end of the connection. */
  connect(): MemoryTransport {
    const far = new MemoryTransport();
    this.#peer = far;
    far.#peer = this;
    return far;
  }

  start(events: TransportEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array, written: () => void): void {
    const copy = bytes.slice();
    later(() => {
      if (!this.#over && this.#peer !== undefined) this.#peer.#arrive(copy, written);
    });
  }

  pause(): void {
    this.#waiting ??= [];
  }

  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const { bytes, written } of waiting) this.#arrive(bytes, written);
  }

  close(): void {
    this.#closing = true;
    later(() => this.#end(undefined));
  }

  abort(): void {
    this.#end(new SallyportError("tunnel_down", "Cannot continue: the connection was reset"));
  }

  /** Whether the connection is closed. */
  get over(): boolean {
    return this.#over;
  }

  #arrive(bytes: Uint8Array, written: () => void): void {
    if (this.#waiting !== undefined) this.#waiting.push({ bytes, written });
    else {
      written();
      if (!this.#over) this.#events?.data(bytes);
    }
  }

  #end(error: SallyportError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#events?.closed(this.#closing ? undefined : error);
    const peer = this.#peer;
    if (peer === undefined) return;
    peer.#closing ||= error === undefined;
    queueMicrotask(() => peer.#end(error));
  }
}

const queue: (() => void)[] = [];

/** Runs `task` in a later turn of the event loop, in order, without the delay of a timer. */
function later(task: () => void): void {
  queue.push(task);
  if (queue.length === 1) setTimeout(() => queue.splice(0).forEach((each) => each()), 0);
}
