import { Acknowledger } from "../../shared/mux/acknowledger.ts";
import type { PathEstimator } from "../../shared/mux/path_estimator.ts";
import type { ManualClock } from "./manual_clock.ts";

/** A path's properties, which may change while it is in use. */
export interface PathShape {
  /** Bytes a millisecond. 100 Mbit/s are 12,500. */
  rate: number;
  /** Milliseconds one way. */
  delay: number;
}

/** Bytes of one write of a sender. */
const WRITE_BYTES = 65_536;
/** A reader's chunks: what arrives in a quarter of a millisecond, within these limits in bytes. */
const CHUNK_LEAST = 2_048;
const CHUNK_MOST = 65_536;
/** Room below which a sender waits. */
const MIN_BYTES = 4_096;

/**
 * A bottleneck with a queue of any length, between a sender that keeps to an estimator and a receiver that
 * acknowledges as SPEC.md 5.2 says. All of it runs on a clock turned by hand, so that every run is the same.
 */
export class SimulatedPath {
  readonly shape: PathShape;
  readonly #clock: ManualClock;
  readonly #estimator: PathEstimator;
  readonly #receiver: Acknowledger;
  /** Bytes that wait to be sent; Infinity for a sender that always has more. */
  #backlog = 0;
  /** When the bottleneck has passed on all that it holds. */
  #free = 0;
  /** When what is on its way has arrived: nothing overtakes, even when the delay falls. */
  #dataLands = 0;
  #ackLands = 0;
  #delivered = 0;

  constructor(clock: ManualClock, estimator: PathEstimator, shape: PathShape) {
    this.shape = shape;
    this.#clock = clock;
    this.#estimator = estimator;
    this.#receiver = new Acknowledger(clock, (total) => {
      this.#ackLands = Math.max(this.#ackLands, clock.now() + this.shape.delay);
      clock.after(this.#ackLands - clock.now(), () => {
        if (!estimator.acknowledged(total)) throw new Error(`Cannot acknowledge ${total}`);
        this.#pump();
      });
    });
  }

  /** Bytes that have reached the receiver. */
  get delivered(): number {
    return this.#delivered;
  }

  /** The round trip that a small packet would see now, in milliseconds. */
  get probe(): number {
    return Math.max(0, this.#free - this.#clock.now()) + 2 * this.shape.delay;
  }

  /** Has more to send. */
  offer(bytes: number): void {
    this.#backlog += bytes;
    this.#pump();
  }

  /**
   * Lets time pass.
   * @returns bytes delivered a millisecond meanwhile, and the round trips of a probe every 5 ms, sorted.
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
    this.#dataLands = Math.max(this.#dataLands, this.#free + delay);
    this.#clock.after(this.#dataLands - now, () => {
      this.#delivered += bytes;
      this.#receiver.count(bytes);
      this.#receiver.settle();
    });
  }
}
