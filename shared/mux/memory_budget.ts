import { HeldMemory } from "./held_memory.ts";

/** Bytes that streams may hold in first windows, queues, messages and objects, which nothing was reserved for. */
const FIRST_WINDOWS = 58_720_256;

/**
 * Memory that all streams of a process may take beyond their first window, in bytes. Each may have up to
 * half of what is still free, so that late ones find some and no number of streams uses more than the limit.
 * Where there are several clients, each may have at most as much as stays free: windows do not shrink, so that one
 * with enough streams would keep all of it. What streams hold in fact, first windows included, `held` bounds.
 */
export class MemoryBudget {
  /** The most that may be reserved at any time. */
  readonly limit: number;
  /** What all streams of the process hold now. */
  readonly held: HeldMemory;
  /** What each client has that has anything. */
  readonly #clients = new Map<string, number>();
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

  /**
   * Reserves up to `wanted` and returns how much it was; 0 when too little is free, or too much is held.
   *
   * @param client Whose stream it is; "" for the only one, which may have all.
   */
  reserve(wanted: number, client = ""): number {
    if (this.held.tightFor(client)) return 0;
    const free = this.limit - this.#reserved;
    const own = this.#clients.get(client) ?? 0;
    // Of what it takes, the client has more and all others less.
    const open = client === "" ? free : (free - own) / 2;
    const granted = Math.min(wanted, Math.floor(open / 2));
    if (granted <= 0) return 0;
    this.#change(granted, client);
    return granted;
  }

  /** Gives back what `reserve` returned to this client. */
  release(bytes: number, client = ""): void {
    this.#change(-bytes, client);
  }

  #change(bytes: number, client: string): void {
    this.#reserved += bytes;
    const own = (this.#clients.get(client) ?? 0) + bytes;
    if (own === 0) this.#clients.delete(client);
    else this.#clients.set(client, own);
  }
}
