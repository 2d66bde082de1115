import type { Clock } from "../shared/clock.ts";

/** Ids that are remembered at once; more than a minute of calls that pass every other check. */
const MAX_IDS = 10_000;

/** Ids of calls that this instance has let in, so that none is let in twice. */
export class SeenIds {
  readonly #clock: Clock;
  readonly #lifetime: number;
  /** When each may be forgotten; the oldest first. */
  readonly #until = new Map<string, number>();

  /** @param lifetime Milliseconds for which an id counts. */
  constructor(clock: Clock, lifetime: number) {
    this.#clock = clock;
    this.#lifetime = lifetime;
  }

  /** Remembers an id; false when it was seen before, or when there are too many to remember another. */
  add(id: string): boolean {
    const now = this.#clock.wallTime();
    for (const [known, until] of this.#until) {
      if (until > now) break;
      this.#until.delete(known);
    }
    if (this.#until.has(id) || this.#until.size >= MAX_IDS) return false;
    this.#until.set(id, now + this.#lifetime);
    return true;
  }
}
