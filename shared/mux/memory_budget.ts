/**
 * Memory that all streams of a process may take beyond their first window, in bytes. Each may have up to
 * half of what is still free, so that late ones find some and no number of streams uses more than the limit.
 */
export class MemoryBudget {
  /** The most that may be reserved at any time. */
  readonly limit: number;
  #reserved = 0;

  /** @param limit The cap of the whole process. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** What is reserved now. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Reserves up to `wanted` and returns how much it was; 0 when too little is free. */
  reserve(wanted: number): number {
    const granted = Math.min(wanted, Math.floor((this.limit - this.#reserved) / 2));
    if (granted <= 0) return 0;
    this.#reserved += granted;
    return granted;
  }

  /** Gives back what `reserve` returned. */
  release(bytes: number): void {
    this.#reserved -= bytes;
  }
}
