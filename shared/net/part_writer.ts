import type { Writable } from "node:stream";
import type { MuxStream } from "../mux/stream/stream.ts";
import { merge, overheadOf, type Part, SMALL_BYTES } from "../mux/flow/part.ts";

/** Pending writes from which on small parts are merged. A reader that keeps up never gets there. */
const MAX_SMALL_WRITES = 8;

/** The sink of parts: a socket, or the body of a request or response. */
export type PartSink = Pick<Writable, "destroyed"> & {
  write(bytes: Uint8Array, written: (error?: Error | null) => void): boolean;
};

/** The source of parts: the stream that is charged for them until they are written. */
export type PartSource = Pick<MuxStream, "consumed" | "charge">;

/**
 * Writes the parts of a stream in order. A Node stream keeps an object and a callback for each pending write, and
 * counts neither; so small parts for a slow reader are merged, and each write is charged to the stream.
 */
export class PartWriter {
  readonly #sink: PartSink;
  readonly #source: PartSource;
  readonly #onWritten: (() => void) | undefined;
  #writes = 0;
  /** What was given to the sink and has not been written. */
  #pending = { bytes: 0, overhead: 0 };
  #abandoned = false;
  #waiting: Part | undefined;

  /** @param onWritten A part was written, or dropped because the sink is destroyed. */
  constructor(sink: PartSink, source: PartSource, onWritten?: () => void) {
    this.#sink = sink;
    this.#source = source;
    this.#onWritten = onWritten;
  }

  /** Writes a part, or keeps it until earlier ones are written. */
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

  /** Writes what is kept. Call it before ending the sink. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#send(waiting.bytes, overheadOf(waiting.bytes));
  }

  /**
   * Returns the credit of everything that was not written, because the sink is given up: one without a connection
   * never calls back. Nothing may be written afterwards.
   */
  abandon(): void {
    if (this.#abandoned) return;
    this.flush();
    this.#abandoned = true;
    const { bytes, overhead } = this.#pending;
    this.#source.charge(-overhead);
    this.#source.consumed(bytes);
  }

  #send(bytes: Uint8Array, overhead: number): void {
    const { byteLength } = bytes;
    this.#pending.bytes += byteLength;
    this.#pending.overhead += overhead;
    if (this.#sink.destroyed) return this.#written(byteLength, overhead);
    this.#writes++;
    this.#sink.write(bytes, () => {
      this.#writes--;
      if (this.#abandoned) return;
      this.#written(byteLength, overhead);
      if (this.#writes < MAX_SMALL_WRITES) this.flush();
    });
  }

  #written(byteLength: number, overhead: number): void {
    this.#pending.bytes -= byteLength;
    this.#pending.overhead -= overhead;
    this.#source.charge(-overhead);
    this.#onWritten?.();
    this.#source.consumed(byteLength);
  }
}

/** Bytes from which a part waits for the end of the turn; a shorter one is written at once. */
const MIN_BYTES = 8_192;

/**
 * Coalesces the writes of one turn of the event loop into one system call. A read from a connection brings many parts
 * of a body, split at frames and records: a call for each would cost a third of the throughput.
 */
export class WriteCoalescer {
  readonly #writable: Pick<Writable, "cork" | "uncork">;
  readonly #endTurn = () => {
    this.#corked = false;
    this.#writable.uncork();
  };
  #corked = false;

  /** @param writable The stream whose writes are coalesced. */
  constructor(writable: Pick<Writable, "cork" | "uncork">) {
    this.#writable = writable;
  }

  /** Call it before a part of this length is written. */
  before(byteLength: number): void {
    if (this.#corked || byteLength < MIN_BYTES) return;
    this.#corked = true;
    this.#writable.cork();
    queueMicrotask(this.#endTurn);
  }
}
