import type { Clock } from "../shared/clock.ts";
import { SharedLimit } from "../shared/limits/shared_limit.ts";

/** Ids that are remembered at once, over all clients. One client alone may have half of them. */
const MAX_IDS = 10_000;

/** Ids of calls that this instance has let in, so that none is let in twice. */
export class SeenIds {
  readonly #clock: Clock;
  readonly #lifetime: number;
  /** The last moment at which each still counts; the oldest first. */
  readonly #until = new Map<string, number>();
  /** Nothing may be evicted: an id that is forgotten too early can be replayed. */
  readonly #limit: SharedLimit<string>;

  /**
   * @param lifetime Milliseconds for which an id counts.
   * @param total Ids at once, over all clients.
   */
  constructor(clock: Clock, lifetime: number, total = MAX_IDS) {
    this.#clock = clock;
    this.#lifetime = lifetime;
    this.#limit = new SharedLimit({ total, whenFull: "reserve" });
  }

  /**
   * Remembers an id of a client.
   *
   * @returns `seen` when it was used before; `full` when the client has used up its share.
   */
  add(client: string, id: string): "added" | "seen" | "full" {
    const now = this.#clock.wallTime();
    for (const [known, until] of this.#until) {
      if (until >= now) break;
      this.#until.delete(known);
      this.#limit.release(known);
    }
    const key = `${client} ${id}`;
    if (this.#until.has(key)) return "seen";
    if (!this.#limit.take(client, key)) return "full";
    this.#until.set(key, now + this.#lifetime);
    return "added";
  }
}
