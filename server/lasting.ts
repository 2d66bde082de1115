import type { CancelTimer, Clock } from "../shared/clock.ts";

interface Entry {
  readonly began: number;
  readonly callback: () => void;
}

/**
 * Calls back for those that are still here after a while. All share one timer, which is not cancelled when the last
 * one leaves: a timer made and cleared for every short stream would cost more than the rest of its audit.
 */
export class Lasting {
  readonly #clock: Clock;
  readonly #afterMs: number;
  /** In the order in which they began. */
  readonly #entries = new Set<Entry>();
  #cancel: CancelTimer | undefined;

  /** @param afterMs Milliseconds after which one counts as lasting. */
  constructor(clock: Clock, afterMs: number) {
    this.#clock = clock;
    this.#afterMs = afterMs;
  }

  /** Begins to wait; `callback` runs once, unless the returned function is called first. */
  add(callback: () => void): CancelTimer {
    const entry = { began: this.#clock.now(), callback };
    this.#entries.add(entry);
    this.#cancel ??= this.#clock.after(this.#afterMs, () => this.#look());
    return () => void this.#entries.delete(entry);
  }

  /** Forgets all, and stops the timer. */
  stop(): void {
    this.#entries.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    for (const entry of this.#entries) {
      const left = entry.began + this.#afterMs - now;
      if (left > 0) {
        this.#cancel = this.#clock.after(left, () => this.#look());
        return;
      }
      this.#entries.delete(entry);
      entry.callback();
    }
  }
}
