/** Rounds whose best rate counts. */
const ROUNDS = 10;
/** Rounds that are kept when the older ones are doubted. */
const RECENT_ROUNDS = 2;

/** The best delivery rate of the last round trips, in bytes a millisecond. */
export class DeliveryRate {
  /** Best rate of each round; the newest is last. */
  #rounds: number[] = [0];

  /** The best of all rounds; 0 before the first sample. */
  get best(): number {
    return Math.max(...this.#rounds);
  }

  /** Takes a measurement of the round under way. */
  sample(rate: number): void {
    const newest = this.#rounds.length - 1;
    this.#rounds[newest] = Math.max(this.#rounds[newest]!, rate);
  }

  /** Begins a round; what is older than ten is forgotten. */
  nextRound(): void {
    this.#rounds.push(0);
    if (this.#rounds.length > ROUNDS) this.#rounds.shift();
  }

  /** Forgets all but the last rounds. */
  forgetOld(): void {
    const recent = this.#rounds.slice(-RECENT_ROUNDS);
    if (Math.max(...recent) > 0) this.#rounds = recent;
  }
}
