/** Rounds whose best rate counts. */
export const RATE_ROUNDS = 10;
/** Rounds that are kept when older ones are in doubt. */
const RECENT_RATE_ROUNDS = 2;

/** The best delivery rate of the last ten rounds, in bytes per millisecond. */
export class DeliveryRate {
  /** Best rate of each round, and when it began; the newest is last. */
  #rounds: { best: number; readonly began: number }[] = [{ best: 0, began: -Infinity }];

  /** The best of all rounds; 0 before the first sample. */
  get best(): number {
    return Math.max(...this.#rounds.map(({ best }) => best));
  }

  /** Adds a measurement to the current round. */
  sample(rate: number): void {
    const newest = this.#rounds.at(-1)!;
    newest.best = Math.max(newest.best, rate);
  }

  /**
   * Begins a round at `now`, and drops the one before the last ten.
   * @param oldest Rounds that began earlier are dropped, too, except the last two: a queue makes rounds long.
   */
  nextRound(now: number, oldest: number): void {
    this.#rounds.push({ best: 0, began: now });
    const isOld = ({ began }: { began: number }) => began < oldest;
    while (
      this.#rounds.length > RATE_ROUNDS ||
      this.#rounds.length > RECENT_RATE_ROUNDS + 1 && isOld(this.#rounds[0]!)
    ) {
      this.#rounds.shift();
    }
  }

  /** Drops all but the last two rounds, unless these have no sample. */
  forgetOld(): void {
    const recent = this.#rounds.slice(-RECENT_RATE_ROUNDS);
    if (recent.some(({ best }) => best > 0)) this.#rounds = recent;
  }
}
