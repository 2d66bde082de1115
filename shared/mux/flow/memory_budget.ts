import { type Collector, HeldMemory } from "./held_memory.ts";

/** Bytes that streams may hold without a reservation: first windows, queues, messages and objects. */
const FIRST_WINDOWS = 58_720_256;

/**
 * Memory by which the windows of all streams of a process may grow, in bytes. Each stream gets up to half of what is
 * still free, so that some is left for later ones, and no number of streams exceeds the limit. With several clients,
 * each gets at most as much as stays free: windows do not shrink, so a client with enough streams would keep all of it.
 * What streams really hold, first windows included, is limited by `held`.
 */
export class MemoryBudget {
  /** The most bytes that may be reserved. */
  readonly limit: number;
  /** Counts what all streams of the process hold. */
  readonly held: HeldMemory;
  /** Bytes reserved by each client that has any. */
  readonly #clients = new Map<string, number>();
  #reserved = 0;

  /**
   * @param limit Bytes by which the windows of the whole process may grow.
   * @param heldLimit Bytes that its streams may hold, first windows included. @default {56 MiB above `limit`}
   * @param collector Frees dead buffers while memory is short; see {@linkcode HeldMemory}. @default {none}
   */
  constructor(limit: number, heldLimit: number = limit + FIRST_WINDOWS, collector?: Collector) {
    this.limit = limit;
    this.held = new HeldMemory(heldLimit, collector);
  }

  /** Bytes reserved now. */
  get reserved(): number {
    return this.#reserved;
  }

  /**
   * Reserves up to `wanted` bytes and returns how many; 0 when too little is free, or too much is held.
   *
   * @param client Whose stream it is; "" where there is only one client, which may have all.
   */
  reserve(wanted: number, client = ""): number {
    if (this.held.tightFor(client)) return 0;
    const free = this.limit - this.#reserved;
    const own = this.#clients.get(client) ?? 0;
    // Each byte counts twice: the client has one more, and one less stays free.
    const available = client === "" ? free : (free - own) / 2;
    const granted = Math.min(wanted, Math.floor(available / 2));
    if (granted <= 0) return 0;
    this.#change(granted, client);
    return granted;
  }

  /** Gives back bytes that `reserve` granted to this client. */
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
