import type { CancelTimer, Clock } from "./clock.ts";

/** Milliseconds by which a coarse timer may be late. */
const GRAIN = 1_000;

interface Slot {
  readonly callbacks: Set<() => void>;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Timers for long waits: they may run up to a second late, and those of the same second share one timer of the runtime.
 * Every connection has several long deadlines that are hardly ever reached: setting and clearing a timer for each would
 * cost more than everything else that is done for a short connection.
 */
export class CoarseTimers {
  readonly #slots = new Map<number, Slot>();

  /** Runs `callback` once, `ms` milliseconds from now or up to a second later, unless it is cancelled first. */
  after(ms: number, callback: () => void): CancelTimer {
    const now = performance.now();
    const second = Math.ceil((now + ms) / GRAIN);
    const slot = this.#slots.get(second) ?? this.#open(second, second * GRAIN - now);
    // A new function, because the same callback may already be waiting.
    const run = () => callback();
    slot.callbacks.add(run);
    return () => {
      if (slot.callbacks.delete(run) && slot.callbacks.size === 0) this.#close(second, slot);
    };
  }

  #open(second: number, ms: number): Slot {
    const slot: Slot = { callbacks: new Set(), timer: setTimeout(() => this.#run(second, slot), ms) };
    this.#slots.set(second, slot);
    return slot;
  }

  #run(second: number, slot: Slot): void {
    this.#slots.delete(second);
    for (const callback of slot.callbacks) {
      slot.callbacks.delete(callback);
      callback();
    }
  }

  #close(second: number, slot: Slot): void {
    if (this.#slots.get(second) !== slot) return;
    this.#slots.delete(second);
    clearTimeout(slot.timer);
  }
}

/** Milliseconds from which a wait may be inexact. */
const LONG_WAIT = 5_000;
const longWaits = new CoarseTimers();

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(ms, callback) {
    if (ms >= LONG_WAIT) return longWaits.after(ms, callback);
    const id = setTimeout(callback, ms);
    return () => clearTimeout(id);
  },
};
