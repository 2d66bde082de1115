import type { CancelTimer, Clock } from "../../shared/clock.ts";

interface Entry {
  readonly began: number;
  readonly callback: () => void;
}

/**
 * Calls back for each entry that reaches an age. All share one timer, which is not cancelled when the last entry is
 * removed: a timer set and cleared for every short stream would cost more than the rest of its audit.
 */
export class AgeTimer {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #onError: (error: unknown) => void;
  /** In the order in which they began. */
  readonly #entries = new Set<Entry>();
  #cancel: CancelTimer | undefined;

  /**
   * @param afterMs The age in milliseconds.
   * @param onError A callback threw; the others are still called.
   */
  constructor(clock: Clock, afterMs: number, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#afterMs = afterMs;
  }

  /** Adds an entry of age zero; `callback` runs once, unless the returned function is called first. */
  add(callback: () => void): CancelTimer {
    const entry = { began: this.#clock.now(), callback };
    this.#entries.add(entry);
    this.#cancel ??= this.#clock.after(this.#afterMs, () => this.#callDue());
    return () => void this.#entries.delete(entry);
  }

  /** Removes all entries and stops the timer. */
  stop(): void {
    this.#entries.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #callDue(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    const due: Entry[] = [];
    for (const entry of this.#entries) {
      const left = entry.began + this.#afterMs - now;
      if (left > 0) {
        this.#cancel = this.#clock.after(left, () => this.#callDue());
        break;
      }
      due.push(entry);
    }
    // Only now: a callback may add or remove entries, or stop the timer.
    for (const entry of due) if (this.#entries.delete(entry)) this.#call(entry);
  }

  #call({ callback }: Entry): void {
    try {
      callback();
    } catch (error) {
      this.#onError(error);
    }
  }
}
