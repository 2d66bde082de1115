import type { CancelTimer, Clock } from "../../shared/clock.ts";

interface Timer {
  at: number;
  callback: () => void;
}

/** A clock that a test advances by hand. */
export class ManualClock implements Clock {
  #now = 0;
  /** How far the wall clock is ahead of `now`. */
  #wallAhead = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now + this.#wallAhead;
  }

  after(ms: number, callback: () => void): CancelTimer {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are set: 0 when nothing leaks. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers run when they are due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#first();
      if (due === undefined || due.at > end) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }

  /** The timer that is due first; of several, the one that was set first. */
  #first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (first === undefined || timer.at < first.at) first = timer;
    return first;
  }

  /** Advances only the wall clock, as while the machine sleeps: no timer runs, and `now` stays the same. */
  jumpWall(ms: number): void {
    this.#wallAhead += ms;
  }
}
