import type { CancelTimer, Clock } from "../clock.ts";

/**
 * Weight that is done in one event at the most: a few milliseconds' work, and more than sockets bring until a timer of
 * 0 ms runs, which the runtime makes one or two. So it holds back nobody who waits for sockets.
 */
const EVENT_WEIGHT = 4_194_304;
/** Weight from which a timer tells when the event is over; small exchanges, by far the most, need none. */
const WATCHED_WEIGHT = 262_144;

/**
 * Keeps work in microtasks from going on for ever. Microtasks come before all else, so that two rooms that answer each
 * other at once would keep timers, sockets and other streams waiting for as long as they have something to say.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #goOn: () => void;
  #done = 0;
  #cancel: CancelTimer | undefined;

  /** @param goOn Called in a later event, once there was too much to do for one. */
  constructor(clock: Clock, goOn: () => void) {
    this.#clock = clock;
    this.#goOn = goOn;
  }

  /** Whether so much was done that the rest has to wait until `goOn` is called. */
  get isSpent(): boolean {
    return this.#done >= EVENT_WEIGHT;
  }

  /** Counts what was done. @param weight Bytes, or what takes as long as so many. */
  spend(weight: number): void {
    this.#done += weight;
    if (this.#done < WATCHED_WEIGHT) return;
    this.#cancel ??= this.#clock.after(0, () => {
      const wasSpent = this.isSpent;
      this.rest();
      if (wasSpent) this.#goOn();
    });
  }

  /** Nothing is left to do. */
  rest(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#done = 0;
  }
}
