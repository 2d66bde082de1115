import { Acknowledger } from "../../../shared/mux/link/acknowledger.ts";
import type { PathEstimator } from "../../../shared/mux/flow/path_estimator.ts";
import type { ManualClock } from "../manual_clock.ts";

/** Properties of a path, which may change while it is in use. */
export interface PathShape {
  /** Bytes per millisecond. 100 Mbit/s are 12,500. */
  rate: number;
  /** Milliseconds one way. */
  delay: number;
}

/** Bytes of one write of a sender. */
const WRITE_BYTES = 65_536;
/** Limits of a reader's chunks, in bytes; within them, a chunk is what arrives in a quarter of a millisecond. */
const CHUNK_LEAST = 2_048;
const CHUNK_MOST = 65_536;
/** Room below which a sender waits. */
const MIN_BYTES = 4_096;

/**
 * A bottleneck with an unlimited queue, between a sender that follows an estimator and a receiver that acknowledges as
 * in SPEC.md 5.2. It runs on a manual clock, so that every run is the same.
 */
export class SimulatedPath {
  readonly shape: PathShape;
  readonly #clock: ManualClock;
  readonly #estimator: PathEstimator;
  readonly #receiver: Acknowledger;
  /** Bytes that wait to be sent; Infinity for a sender that always has more. */
  #backlog = 0;
  /** When the queue of the bottleneck is empty. */
  #free = 0;
  /** When everything in flight has arrived: nothing overtakes, even when the delay decreases. */
  #dataArrives = 0;
  #ackArrives = 0;
  #delivered = 0;

  constructor(clock: ManualClock, estimator: PathEstimator, shape: PathShape) {
    this.shape = shape;
    this.#clock = clock;
    this.#estimator = estimator;
    this.#receiver = new Acknowledger(clock, (total) => {
      this.#ackArrives = Math.max(this.#ackArrives, clock.now() + this.shape.delay);
      clock.after(this.#ackArrives - clock.now(), () => {
        if (!estimator.acknowledged(total)) throw new Error(`Cannot acknowledge ${total}`);
        this.#pump();
      });
    });
  }

  /** Bytes that have reached the receiver. */
  get delivered(): number {
    return this.#delivered;
  }

  /** The round trip that a small packet would have now, in milliseconds. */
  get probe(): number {
    return Math.max(0, this.#free - this.#clock.now()) + 2 * this.shape.delay;
  }

  /** Gives the sender more bytes. */
  offer(bytes: number): void {
    this.#backlog += bytes;
    this.#pump();
  }

  /**
   * Lets time pass.
   * @returns bytes delivered per millisecond, and the sorted round trips of a probe every 5 ms.
   */
  run(ms: number): { rate: number; probes: number[] } {
    const before = this.#delivered;
    const probes: number[] = [];
    for (let passed = 0; passed < ms; passed += 5) {
      this.#clock.advance(5);
      probes.push(this.probe);
    }
    return { rate: (this.#delivered - before) / ms, probes: probes.sort((a, b) => a - b) };
  }

  #pump(): void {
    for (;;) {
      const room = Math.min(WRITE_BYTES, this.#estimator.window - this.#estimator.inFlight);
      const bytes = Math.min(Math.floor(room), this.#backlog);
      if (bytes <= 0 || room < MIN_BYTES) return;
      this.#backlog -= bytes;
      this.#estimator.sent(bytes, this.#backlog === 0);
      const chunk = Math.min(CHUNK_MOST, Math.max(CHUNK_LEAST, Math.floor(this.shape.rate / 4)));
      for (let sent = 0; sent < bytes; sent += chunk) this.#carry(Math.min(chunk, bytes - sent));
    }
  }

  #carry(bytes: number): void {
    const { rate, delay } = this.shape;
    const now = this.#clock.now();
    this.#free = Math.max(now, this.#free) + bytes / rate;
    this.#dataArrives = Math.max(this.#dataArrives, this.#free + delay);
    this.#clock.after(this.#dataArrives - now, () => {
      this.#delivered += bytes;
      this.#receiver.count(bytes);
      this.#receiver.chunkProcessed();
    });
  }
}
