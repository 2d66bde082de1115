import type { CancelTimer } from "./clock.ts";

/** Milliseconds by which a coarse timer may be late. */
const GRAIN = 1_000;

interface Slot {
  readonly callbacks: Set<() => void>;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * The part of the machine's clock for long waits: timers that may run up to a second late, and share one timer of the runtime for each second. Every connection
 * has several limits that are long and hardly ever reached: making and clearing a timer for each would cost more
 * than all else that is done for a short connection.
 */
export class CoarseTimers {
  readonly #slots = new Map<number, Slot>();

  /** Runs `callback` once, `ms` milliseconds from now or up to a second later, unless it is cancelled first. */
  after(ms: number, callback: () => void): CancelTimer {
    const now = performance.now();
    const second = Math.ceil((now + ms) / GRAIN);
    const slot = this.#slots.get(second) ?? this.#open(second, second * GRAIN - now);
    // A function of its own, since the same callback may be waiting already.
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
