import type { Clock } from "./clock.ts";
import { CoarseTimers } from "./coarse_timers.ts";

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
