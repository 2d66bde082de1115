import type { Clock } from "../../shared/clock.ts";
import { SharedLimit } from "../../shared/limits/shared_limit.ts";

/** Ids remembered over all clients. A single client may use half of them. */
const MAX_IDS = 10_000;

/** Remembers the ids of calls that this instance accepted, so that none is accepted twice. */
export class ReplayCache {
  readonly #clock: Clock;
  readonly #lifetime: number;
  /** When each id expires, the oldest first. */
  readonly #until = new Map<string, number>();
  /** Never evicts: a call whose id is forgotten too early can be replayed. */
  readonly #limit: SharedLimit<string>;

  /**
   * @param lifetime Milliseconds for which an id is remembered.
   * @param total Ids remembered over all clients.
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
