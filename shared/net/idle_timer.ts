import type { CancelTimer, Clock } from "../clock.ts";

/** What makes an {@linkcode IdleTimer}. */
export interface IdleTimerOptions {
  /** Where time comes from. */
  clock: Clock;
  /** Milliseconds without a `touch` after which `onIdle` runs; Infinity for never. */
  timeoutMs: number;
  /** Runs once, unless `stop` came first. */
  onIdle(): void;
}

/**
 * Notices that nothing happened for a while. `touch` only writes down the time, so that it costs nothing on a
 * hot path; the one timer looks at it when it runs.
 */
export class IdleTimer {
  readonly #options: IdleTimerOptions;
  #last: number;
  #cancel: CancelTimer = () => {};

  /** Begins to count. */
  constructor(options: IdleTimerOptions) {
    this.#options = options;
    this.#last = options.clock.now();
    if (options.timeoutMs !== Infinity) this.#wait(options.timeoutMs);
  }

  /** Something happened. */
  touch(): void {
    this.#last = this.#options.clock.now();
  }

  /** Ends it; doing so again does nothing. */
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
