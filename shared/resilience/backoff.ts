import { ExponentialBackoff, halfJitterGenerator, type IBackoff } from "cockatiel";

/** How long to wait between attempts, in milliseconds. */
export interface BackoffOptions {
  /** No delay is shorter. @default 250 */
  minDelay?: number;
  /** No delay is longer. @default 30000 */
  maxDelay?: number;
}

/**
 * Delays between attempts: each range twice the one before, and within it at random, so that agents that lost
 * the same server do not come back in step. The first delay is `minDelay` to twice that, the last ones half of
 * `maxDelay` to `maxDelay`.
 */
export class Backoff {
  readonly #first: ExponentialBackoff<number>;
  #current: IBackoff<unknown> | undefined;

  constructor({ minDelay = 250, maxDelay = 30_000 }: BackoffOptions = {}) {
    // The generator gives half of the delay to all of it.
    const initialDelay = Math.min(2 * minDelay, maxDelay);
    this.#first = new ExponentialBackoff({ generator: halfJitterGenerator, initialDelay, maxDelay });
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    this.#current = this.#current?.next(undefined) ?? this.#first.next();
    return this.#current.duration;
  }

  /** Begins with short delays again; for when an attempt succeeded. */
  reset(): void {
    this.#current = undefined;
  }
}
