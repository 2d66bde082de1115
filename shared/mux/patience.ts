import type { Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";

/** How much is borne of something that a peer may do now and then, but not without end (SPEC.md 3.5). */
export interface PatienceOptions {
  /** What is counted, for the peer: `streams that were opened for nothing`. */
  what: string;
  /** How many a second are forgotten. */
  perSecond: number;
  /** How many, not yet forgotten, slow the peer down. */
  slowAt: number;
  /** How many, not yet forgotten, end its connection. */
  cutAt: number;
}

/** Counts what a peer does for nothing, and forgets it at a steady rate. */
export class Patience {
  readonly #clock: Clock;
  readonly #options: PatienceOptions;
  #level = 0;
  #countedAt: number;

  constructor(clock: Clock, options: PatienceOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#countedAt = clock.now();
  }

  /** Whether the peer is to be slowed down. */
  get lost(): boolean {
    const { slowAt } = this.#options;
    // Nearly always the first look is enough, and the clock costs more than it.
    return this.#level > slowAt && this.#rest() > slowAt;
  }

  /** Counts one; throws `limit_reached` when that is the one too many. */
  spend(): void {
    const { perSecond, cutAt, what } = this.#options;
    this.#rest();
    this.#level++;
    if (this.#level <= cutAt) return;
    throw new SallyportError(
      "limit_reached",
      `Cannot bear more ${what}: more than ${cutAt}, and ${perSecond} a second`,
    );
  }

  /** What is left after some was forgotten. */
  #rest(): number {
    const now = this.#clock.now();
    this.#level = Math.max(0, this.#level - (now - this.#countedAt) * this.#options.perSecond / 1000);
    this.#countedAt = now;
    return this.#level;
  }
}
