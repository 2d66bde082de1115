import { type CancelTimer, CoarseTimers } from "./coarse_timers.ts";

export type { CancelTimer };

/**
 * Time as the rest of the code sees it. It is passed in, so that tests can turn
 * it by hand and nothing has to wait for real seconds.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back, and may stand still while the machine sleeps. */
  now(): number;
  /** Milliseconds since 1970; counts while the machine sleeps, and jumps when somebody sets it. */
  wallTime(): number;
  /**
   * Runs `callback` once, `ms` milliseconds from now, unless the returned function is called first. Waits of five
   * seconds and more may end up to a second late.
   */
  after(ms: number, callback: () => void): CancelTimer;
}

/** Milliseconds from which a wait need not be exact. */
const LONG_WAIT = 5_000;
const longWaits = new CoarseTimers();

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(ms, callback) {
    if (ms >= LONG_WAIT) return longWaits.after(ms, callback);
    const id = setTimeout(callback, ms);
    return () => clearTimeout(id);
  },
};
