import type { Clock } from "../shared/clock.ts";
import { SharedLimit } from "../shared/limits/shared_limit.ts";

/** Ids that are remembered at once; more than a minute of calls that pass every other check. */
const MAX_IDS = 10_000;

interface SeenId {
  readonly key: string;
  /** When it may be forgotten. */
  readonly until: number;
}

/** Ids of calls that this instance has let in, so that none is let in twice. */
export class SeenIds {
  readonly #clock: Clock;
  readonly #lifetime: number;
  /** The oldest first. */
  readonly #seen = new Map<string, SeenId>();
  /** Nothing is forgotten early, since it could be replayed then: each client has as much as is free. */
  readonly #limit: SharedLimit<SeenId>;

  /**
   * @param lifetime Milliseconds for which an id counts.
   * @param total Ids at once, over all clients.
   */
  constructor(clock: Clock, lifetime: number, total = MAX_IDS) {
    this.#clock = clock;
    this.#lifetime = lifetime;
    this.#limit = new SharedLimit({ total, whenFull: "reserve" });
  }

  /** Remembers an id; false when it was seen before, or when its client has too many to remember another. */
  add(client: string, id: string): boolean {
    const now = this.#clock.wallTime();
    for (const seen of this.#seen.values()) {
      if (seen.until > now) break;
      this.#seen.delete(seen.key);
      this.#limit.release(seen);
    }
    const seen = { key: `${client} ${id}`, until: now + this.#lifetime };
    if (this.#seen.has(seen.key) || !this.#limit.take(client, seen)) return false;
    this.#seen.set(seen.key, seen);
    return true;
  }
}
