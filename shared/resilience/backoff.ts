import { ExponentialBackoff, halfJitterGenerator, type IBackoff } from "cockatiel";

/** Delays between attempts, in milliseconds. */
export interface BackoffOptions {
  /** The shortest delay. @default 250 */
  minDelay?: number;
  /** The longest delay. @default 30000 */
  maxDelay?: number;
}

/**
 * Exponential backoff with jitter: each delay is random within a range that doubles every time, so that agents that
 * lost the same server do not reconnect in step. The first delay is `minDelay` to twice that, the last ones half of
 * `maxDelay` to `maxDelay`.
 */
export class Backoff {
  readonly #first: ExponentialBackoff<number>;
  #current: IBackoff<unknown> | undefined;

  constructor({ minDelay = 250, maxDelay = 30_000 }: BackoffOptions = {}) {
    // The generator returns between half of the delay and all of it.
    const initialDelay = Math.min(2 * minDelay, maxDelay);
    this.#first = new ExponentialBackoff({ generator: halfJitterGenerator, initialDelay, maxDelay });
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    this.#current = this.#current?.next(undefined) ?? this.#first.next();
    return this.#current.duration;
  }

  /** Starts with short delays again, after an attempt has succeeded. */
  reset(): void {
    this.#current = undefined;
  }
}
