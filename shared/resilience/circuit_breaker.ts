import { ConsecutiveBreaker } from "cockatiel";
import type { Clock } from "../clock.ts";
import { systemClock } from "../system_clock.ts";
import { Backoff } from "./backoff.ts";

/** How a {@linkcode CircuitBreaker} behaves; times are milliseconds. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open it. @default 5 */
  threshold?: number;
  /** Shortest time that it stays open; longer each time that a trial fails. @default 5000 */
  minOpen?: number;
  /** Longest time that it stays open. @default 60000 */
  maxOpen?: number;
  /** @default {the machine's} */
  clock?: Clock;
}

/** `closed`: all is well. `open`: attempts are pointless. `half_open`: one attempt may find out. */
export type CircuitState = "closed" | "open" | "half_open";

type Inner =
  | { readonly name: "closed" }
  | { readonly name: "open"; readonly until: number }
  | { readonly name: "trial" };

/**
 * Stops attempts after repeated failures, and knows when the next one makes sense. It has no timer and calls
 * nobody: whoever makes the attempts asks {@linkcode CircuitBreaker.admit} first and reports how each ended.
 */
export class CircuitBreaker {
  readonly #failures: ConsecutiveBreaker;
  readonly #openTimes: Backoff;
  readonly #clock: Clock;
  #inner: Inner = { name: "closed" };

  constructor(
    { threshold = 5, minOpen = 5_000, maxOpen = 60_000, clock = systemClock }: CircuitBreakerOptions = {},
  ) {
    this.#failures = new ConsecutiveBreaker(threshold);
    this.#openTimes = new Backoff({ minDelay: minOpen, maxDelay: maxOpen });
    this.#clock = clock;
  }

  /** `half_open` from the moment when a trial may begin until it was reported. */
  get state(): CircuitState {
    if (this.#inner.name === "closed") return "closed";
    return this.retryInMs > 0 ? "open" : "half_open";
  }

  /** Milliseconds until an attempt makes sense; 0 unless the state is `open`. */
  get retryInMs(): number {
    return this.#inner.name === "open" ? Math.max(0, this.#inner.until - this.#clock.now()) : 0;
  }

  /** {@linkcode CircuitBreaker.retryInMs} as a moment, in milliseconds since 1970; for people and pages. */
  get retryAt(): number {
    return this.#clock.wallTime() + this.retryInMs;
  }

  /**
   * Tells whether an attempt may begin. While `half_open` the first to ask makes the trial, and has to report
   * it with `succeeded`, `failed` or `abandoned`: until then nobody else is let in.
   */
  admit(): boolean {
    if (this.#inner.name === "closed") return true;
    if (this.#inner.name === "trial" || this.retryInMs > 0) return false;
    this.#setState({ name: "trial" });
    return true;
  }

  /** An attempt succeeded, also one that began before the circuit opened: it closes. */
  succeeded(): void {
    this.#failures.success();
    this.#openTimes.reset();
    this.#setState({ name: "closed" });
  }

  /** An attempt failed. Those that began before the circuit opened do not keep it open longer. */
  failed(): void {
    if (this.#inner.name === "open") return;
    if (this.#failures.failure()) this.#open();
  }

  /** The trial ended without a result, for example because nobody wants the connection any more. */
  abandoned(): void {
    if (this.#inner.name === "trial") this.#setState({ name: "open", until: this.#clock.now() });
  }

  #open(): void {
    this.#setState({ name: "open", until: this.#clock.now() + this.#openTimes.next() });
  }

  #setState(state: Inner): void {
    this.#inner = state;
  }
}
