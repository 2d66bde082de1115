import type { Clock } from "../clock.ts";
import { Backoff } from "./backoff.ts";

/** How a {@linkcode CircuitBreaker} behaves; times are milliseconds. */
export interface CircuitBreakerOptions {
  /** The source of time. */
  clock: Pick<Clock, "now">;
  /** Consecutive failures that open it. @default 5 */
  threshold?: number;
  /** How long it stays open at first; longer each time it opens again without a success. @default 5000 */
  minOpen?: number;
  /** The longest that it stays open. @default 60000 */
  maxOpen?: number;
}

/**
 * Says when waiting for a connection makes no sense: after several failures in a row requests fail at once instead of
 * waiting for the next attempt. After a while it closes, so that a request waits again; one more failure opens it
 * for longer. It does not decide when to dial: that is the job of the {@linkcode Backoff} between dials.
 */
export class CircuitBreaker {
  readonly #clock: Pick<Clock, "now">;
  readonly #threshold: number;
  readonly #openTimes: Backoff;
  #failures = 0;
  #openUntil = -Infinity;

  constructor({ clock, threshold = 5, minOpen = 5_000, maxOpen = 60_000 }: CircuitBreakerOptions) {
    this.#clock = clock;
    this.#threshold = threshold;
    this.#openTimes = new Backoff({ minDelay: minOpen, maxDelay: maxOpen });
  }

  /** Whether requests should fail at once. */
  get isOpen(): boolean {
    return this.#clock.now() < this.#openUntil;
  }

  /** An attempt succeeded, even one that began before the breaker opened: it closes. */
  succeeded(): void {
    this.#failures = 0;
    this.#openUntil = -Infinity;
    this.#openTimes.reset();
  }

  /**
   * An attempt failed. While it is open, further failures do not keep it open longer; a failure after that opens it
   * again, even of an attempt that began before.
   */
  failed(): void {
    this.#failures++;
    if (this.#failures < this.#threshold || this.isOpen) return;
    this.#openUntil = this.#clock.now() + this.#openTimes.next();
  }
}
