import type { Clock } from "../../../shared/clock.ts";

/** Milliseconds for which a host that was reached is remembered. */
const REMEMBERED_FOR = 600_000;
/** The most hosts that are remembered. */
const MAX_HOSTS = 1_024;

/** Tunnels that are answered before the server answers. */
export interface EagerTunnels {
  readonly hosts: ReachedHosts;
  /** How many were answered early. */
  answered: number;
  /** How many of those were not reached, so that the client's connection was reset. */
  failed: number;
}

/**
 * The hosts and ports that tunnels reached in the last 10 minutes. It holds at most 1,024 of them; for one more, the one
 * that was reached longest ago is forgotten.
 */
export class ReachedHosts {
  readonly #clock: Pick<Clock, "now">;
  /** When each was last reached, oldest first. */
  readonly #reachedAt = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** How many are remembered. */
  get size(): number {
    this.#forgetOld();
    return this.#reachedAt.size;
  }

  /** @param target Host and port, such as `a.example:443`. */
  has(target: string): boolean {
    const at = this.#reachedAt.get(target);
    return at !== undefined && this.#isRecent(at);
  }

  /** The server reached the target now. */
  reached(target: string): void {
    this.#reachedAt.delete(target);
    this.#reachedAt.set(target, this.#clock.now());
    this.#forgetOld();
  }

  /** The target was not reached. */
  forget(target: string): void {
    this.#reachedAt.delete(target);
  }

  #isRecent(at: number): boolean {
    return this.#clock.now() - at < REMEMBERED_FOR;
  }

  #forgetOld(): void {
    for (const [target, at] of this.#reachedAt) {
      if (this.#reachedAt.size <= MAX_HOSTS && this.#isRecent(at)) return;
      this.#reachedAt.delete(target);
    }
  }
}
