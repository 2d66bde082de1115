import { HeldMemory } from "./held_memory.ts";

/** Bytes that streams may hold in first windows, queues, messages and objects, which nothing was reserved for. */
const FIRST_WINDOWS = 58_720_256;

/**
 * Memory that all streams of a process may take beyond their first window, in bytes. Each may have up to
 * half of what is still free, so that late ones find some and no number of streams uses more than the limit.
 * What they hold in fact, first windows included, `held` bounds.
 */
export class MemoryBudget {
  /** The most that may be reserved at any time. */
  readonly limit: number;
  /** What all streams of the process hold now. */
  readonly held: HeldMemory;
  #reserved = 0;

  /**
   * @param limit What windows of the whole process may grow by.
   * @param heldLimit What its streams may hold, first windows included.
   * @param collect Frees what is dead, while memory is tight; see {@linkcode HeldMemory}.
   */
  constructor(limit: number, heldLimit: number = limit + FIRST_WINDOWS, collect?: () => void) {
    this.limit = limit;
    this.held = new HeldMemory(heldLimit, collect);
  }

  /** What is reserved now. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Reserves up to `wanted` and returns how much it was; 0 when too little is free, or too much is held. */
  reserve(wanted: number): number {
    if (this.held.tight) return 0;
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
