import type { CancelTimer, Clock } from "../clock.ts";

/** Options of an {@linkcode IdleTimer}. */
export interface IdleTimerOptions {
  /** The source of time. */
  clock: Clock;
  /** Milliseconds without a `touch` after which `onIdle` runs; Infinity for never. */
  timeoutMs: number;
  /** Runs once, unless `stop` came first. */
  onIdle(): void;
  /** There was activity; called at most once a second. @default {none} */
  onActive?: (() => void) | undefined;
}

/** Milliseconds between two calls of `onActive`. */
const ACTIVE = 1_000;

/**
 * Notices when there has been no activity for a while. `touch` does little more than note the time, so that it is cheap
 * on a hot path; a single timer checks that time when it runs.
 */
export class IdleTimer {
  readonly #options: IdleTimerOptions;
  #last: number;
  #reportedActive: number;
  #cancel: CancelTimer = () => {};

  /** Starts the timer. */
  constructor(options: IdleTimerOptions) {
    this.#options = options;
    this.#last = this.#reportedActive = options.clock.now();
    if (options.timeoutMs !== Infinity) this.#wait(options.timeoutMs);
  }

  /** Notes activity. */
  touch(): void {
    this.#last = this.#options.clock.now();
    if (this.#last - this.#reportedActive < ACTIVE) return;
    this.#reportedActive = this.#last;
    this.#options.onActive?.();
  }

  /** Stops it; further calls do nothing. */
  stop(): void {
    this.#cancel();
  }

  #wait(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => {
      const left = this.#last + this.#options.timeoutMs - this.#options.clock.now();
      if (left <= 0) this.#options.onIdle();
      else this.#wait(left);
    });
  }
}
