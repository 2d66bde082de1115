import type { Transport, TransportEvents } from "../../../shared/mux/transport.ts";
import { within } from "../within.ts";

/** A transport that counts the bytes that its session received, and the pauses in reading. */
export class CountingTransport implements Transport {
  readonly #inner: Transport;
  #bytes = 0;
  /** How often its session paused reading. */
  pauses = 0;
  /** Whether reading is paused now. */
  paused = false;
  #pausing = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** Resolves when the session pauses reading. */
  get pausing(): Promise<void> {
    return this.#pausing.promise;
  }

  /** Resolves once the session has processed `count` bytes in total. */
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
    this.#pausing.resolve();
    this.#inner.pause();
  }

  resume(): void {
    this.paused = false;
    this.#pausing = Promise.withResolvers<void>();
    this.#inner.resume();
  }

  close(): void {
    this.#inner.close();
  }

  abort(): void {
    this.#inner.abort();
  }
}
