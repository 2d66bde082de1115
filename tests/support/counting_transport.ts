import type { Transport, TransportEvents } from "../../shared/mux/transport.ts";
import { within } from "./within.ts";

/** A transport that counts the bytes which its session was given, and the pauses that it made. */
export class CountingTransport implements Transport {
  readonly #inner: Transport;
  #bytes = 0;
  /** How often its session stopped reading, and whether it reads nothing now. */
  pauses = 0;
  #rests = Promise.withResolvers<void>();
  paused = false;
  #changed = Promise.withResolvers<void>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** Resolves when the session reads nothing. */
  get rests(): Promise<void> {
    return this.#rests.promise;
  }

  /** Resolves once the session has worked through `count` bytes in all. */
  async received(count: number): Promise<void> {
    while (this.#bytes < count) await within(5_000, this.#changed.promise, `${count} bytes`);
  }

  start(events: TransportEvents): void {
    this.#inner.start({
      data: (bytes) => {
        events.data(bytes);
        this.#bytes += bytes.byteLength;
        this.#changed.resolve();
        this.#changed = Promise.withResolvers<void>();
      },
      closed: (error) => events.closed(error),
    });
  }

  write(bytes: Uint8Array, written: () => void): void {
    this.#inner.write(bytes, written);
  }

  pause(): void {
    this.pauses++;
    this.paused = true;
    this.#rests.resolve();
    this.#inner.pause();
  }

  resume(): void {
    this.paused = false;
    this.#rests = Promise.withResolvers<void>();
    this.#inner.resume();
  }

  close(): void {
    this.#inner.close();
  }

  abort(): void {
    this.#inner.abort();
  }
}
