import type { CancelTimer, Clock } from "../../clock.ts";

/**
 * The highest cost of one event: a few milliseconds of work, and more than sockets deliver until a timer of 0 ms runs, for
 * which the runtime takes one or two. So streams that wait for sockets are never delayed.
 */
const EVENT_BUDGET = 4_194_304;
/** Cost from which a timer marks the end of the event; small exchanges, by far the most, need none. */
const TIMER_COST = 262_144;

/**
 * Limits the work that is done in microtasks. Microtasks run before everything else, so that two consumers that answer
 * each other at once would block timers, sockets and other streams for as long as they have something to send.
 */
export class EventBudget {
  readonly #clock: Clock;
  readonly #resume: () => void;
  #spent = 0;
  #cancel: CancelTimer | undefined;

  /** @param resume Called in a later event, after the budget was exhausted. */
  constructor(clock: Clock, resume: () => void) {
    this.#clock = clock;
    this.#resume = resume;
  }

  /** Whether the rest of the work has to wait until `resume` is called. */
  get isExhausted(): boolean {
    return this.#spent >= EVENT_BUDGET;
  }

  /** Counts work that was done. @param cost Its bytes, or the number of bytes that would take as long. */
  spend(cost: number): void {
    this.#spent += cost;
    if (this.#spent < TIMER_COST) return;
    this.#cancel ??= this.#clock.after(0, () => {
      const wasExhausted = this.isExhausted;
      this.stop();
      if (wasExhausted) this.#resume();
    });
  }

  /** No work is left: stops the timer. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#spent = 0;
  }
}
