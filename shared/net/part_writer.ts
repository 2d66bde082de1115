import type { Writable } from "node:stream";
import { merge, type Part, SMALL_BYTES } from "../mux/part.ts";

/** Writes under way from which small parts gather. A reader that keeps up never gets there. */
const MAX_SMALL_WRITES = 8;

/** Where parts are written: a socket, or the body of a request or response. */
export type PartSink = Pick<Writable, "destroyed"> & {
  write(bytes: Uint8Array, written: (error?: Error | null) => void): boolean;
};

/**
 * Writes parts in order. A stream of Node keeps an object and a callback for each write that waits, and counts
 * neither; so small parts for a reader that lags are merged, and cost about their bytes.
 */
export class PartWriter {
  readonly #sink: PartSink;
  readonly #written: (count: number) => void;
  #writes = 0;
  #waiting: Part | undefined;

  /** @param written Hears how many bytes left, or were dropped because the sink is destroyed. */
  constructor(sink: PartSink, written: (count: number) => void) {
    this.#sink = sink;
    this.#written = written;
  }

  /** Writes a part, or keeps it until earlier ones have left. */
  write(bytes: Uint8Array): void {
    if (this.#waiting !== undefined) {
      if (merge(this.#waiting, bytes)) return;
      this.flush();
    }
    if (bytes.byteLength >= SMALL_BYTES || this.#writes < MAX_SMALL_WRITES) this.#send(bytes);
    else this.#waiting = { bytes };
  }

  /** Writes what is kept. To be called before the sink is ended. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#send(waiting.bytes);
  }

  #send(bytes: Uint8Array): void {
    const { byteLength } = bytes;
    if (this.#sink.destroyed) return this.#written(byteLength);
    this.#writes++;
    this.#sink.write(bytes, () => {
      this.#writes--;
      this.#written(byteLength);
      if (this.#writes < MAX_SMALL_WRITES) this.flush();
    });
  }
}
