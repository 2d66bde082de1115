import type { Writable } from "node:stream";
import type { MuxStream } from "../mux/stream.ts";
import { merge, overheadOf, type Part, SMALL_BYTES } from "../mux/part.ts";

/** Writes under way from which small parts gather. A reader that keeps up never gets there. */
const MAX_SMALL_WRITES = 8;

/** Where parts are written: a socket, or the body of a request or response. */
export type PartSink = Pick<Writable, "destroyed"> & {
  write(bytes: Uint8Array, written: (error?: Error | null) => void): boolean;
};

/** Where parts come from: the stream that is charged for them until they are written. */
export type PartSource = Pick<MuxStream, "consumed" | "charge">;

/**
 * Writes the parts of a stream in order. A stream of Node keeps an object and a callback for each write that waits,
 * and counts neither; so small parts for a reader that lags are merged, and each write is charged to the stream.
 */
export class PartWriter {
  readonly #sink: PartSink;
  readonly #source: PartSource;
  readonly #onWritten: (() => void) | undefined;
  #writes = 0;
  #waiting: Part | undefined;

  /** @param onWritten Hears that a part left, or was dropped because the sink is destroyed. */
  constructor(sink: PartSink, source: PartSource, onWritten?: () => void) {
    this.#sink = sink;
    this.#source = source;
    this.#onWritten = onWritten;
  }

  /** Writes a part, or keeps it until earlier ones have left. */
  write(bytes: Uint8Array): void {
    if (this.#waiting !== undefined) {
      const growth = merge(this.#waiting, bytes);
      if (growth !== undefined) return this.#source.charge(growth);
      this.flush();
    }
    const overhead = overheadOf(bytes);
    this.#source.charge(overhead);
    if (bytes.byteLength >= SMALL_BYTES || this.#writes < MAX_SMALL_WRITES) this.#send(bytes, overhead);
    else this.#waiting = { bytes };
  }

  /** Writes what is kept. To be called before the sink is ended. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#send(waiting.bytes, overheadOf(waiting.bytes));
  }

  #send(bytes: Uint8Array, overhead: number): void {
    const { byteLength } = bytes;
    if (this.#sink.destroyed) return this.#written(byteLength, overhead);
    this.#writes++;
    this.#sink.write(bytes, () => {
      this.#writes--;
      this.#written(byteLength, overhead);
      if (this.#writes < MAX_SMALL_WRITES) this.flush();
    });
  }

  #written(byteLength: number, overhead: number): void {
    this.#source.charge(-overhead);
    this.#onWritten?.();
    this.#source.consumed(byteLength);
  }
}
