/** Choices that look random and are the same for the same seed (mulberry32). */
export class Dice {
  #state: number;

  /** @param seed A whole number; its low 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Dice of their own for one part of the work, so that the order of the parts changes nothing. */
  fork(part: number): Dice {
    return new Dice(Math.imul(this.#state ^ part, 0x9e3779b1) ^ part);
  }

  /** A whole number, `least` and `most` included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1));
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length - 1)]!;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
