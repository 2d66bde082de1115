/** Options of a {@linkcode SharedLimit}. */
export interface SharedLimitOptions<Holder> {
  /** The most at once, over all clients. */
  readonly total: number;
  /**
   * What happens to one more when the total is reached:
   *
   * - `evict`: until then any client may take what is free. Then a holder of the client that has the most is evicted
   *   for a client that has clearly fewer, and a holder that costs nothing is evicted for any client.
   * - `reserve`: nothing is evicted, so each client may have at most as much as is free. A single client gets half, two
   *   get a third each, and there is always some left for the next (dynamic thresholds, as in switch buffers).
   * - `refuse`: there is a single client, which may have all of it.
   */
  readonly whenFull: "evict" | "reserve" | "refuse";
  /** Ends a holder that was evicted; it is no longer counted. */
  evict?(holder: Holder, client: string): void;
  /**
   * The cost of evicting a holder: the cheapest is evicted first; of several, the one that was taken or touched longest
   * ago. 0 costs nothing.
   *
   * @default {the same for all, without comparing holders}
   */
  cost?(holder: Holder): number;
}

/** How full a limit is, for metrics. */
export interface LimitFigures {
  /** The most at once. */
  readonly total: number;
  /** In use now. */
  readonly used: number;
  /** In use now by the client that has the most. */
  readonly largestShare: number;
  /** Refused since the start. */
  readonly refused: number;
  /** Evicted since the start. */
  readonly evicted: number;
}

/**
 * A limit that clients share: connections, handshakes, lookups and so on. A client is a certificate, or an address
 * before the certificate is known. No client can take what others need, however much it asks for.
 */
export class SharedLimit<Holder> implements Iterable<Holder> {
  readonly #options: SharedLimitOptions<Holder>;
  /** The client of each holder, the least recently taken or touched first. */
  readonly #owners = new Map<Holder, string>();
  readonly #shares = new Map<string, Set<Holder>>();
  #refused = 0;
  #evicted = 0;

  constructor(options: SharedLimitOptions<Holder>) {
    this.#options = options;
  }

  /** In use now. */
  get count(): number {
    return this.#owners.size;
  }

  /** In use now by one client. */
  countOf(client: string): number {
    return this.#shares.get(client)?.size ?? 0;
  }

  /** The holders, the least recently taken or touched first. */
  [Symbol.iterator](): IterableIterator<Holder> {
    return this.#owners.keys();
  }

  /** Whether `holder` is counted. */
  has(holder: Holder): boolean {
    return this.#owners.has(holder);
  }

  /** Counts `holder`, which must not be counted already; false if this client may not have one more. */
  take(client: string, holder: Holder): boolean {
    if (!this.#hasShare(client) && !this.#evictOneFor(client)) {
      this.#refused++;
      return false;
    }
    this.#owners.set(holder, client);
    const share = this.#shares.get(client);
    if (share === undefined) this.#shares.set(client, new Set([holder]));
    else share.add(holder);
    return true;
  }

  /**
   * Evicts up to `count` holders for `client` as `evict` does, although the limit is not reached: another resource that
   * they hold is scarce.
   *
   * @returns How many were evicted.
   */
  evictFor(client: string, count: number): number {
    let evicted = 0;
    while (evicted < count && this.#evictOneFor(client)) evicted++;
    return evicted;
  }

  /** Marks the holder as recently used: others are evicted first. */
  touch(holder: Holder): void {
    const client = this.#owners.get(holder);
    if (client === undefined) return;
    this.#owners.delete(holder);
    this.#owners.set(holder, client);
    const share = this.#shares.get(client)!;
    share.delete(holder);
    share.add(holder);
  }

  /** Evicts every holder that costs nothing to evict, of any client. */
  evictFree(): void {
    for (const holder of [...this.#owners.keys()]) {
      if (this.#options.cost?.(holder) === 0) this.#evict(holder);
    }
  }

  /** Stops counting `holder`; false if it is not counted, or no longer. */
  release(holder: Holder): boolean {
    const client = this.#owners.get(holder);
    if (client === undefined) return false;
    this.#owners.delete(holder);
    const share = this.#shares.get(client)!;
    share.delete(holder);
    if (share.size === 0) this.#shares.delete(client);
    return true;
  }

  /** How full it is. */
  figures(): LimitFigures {
    let largestShare = 0;
    for (const { size } of this.#shares.values()) largestShare = Math.max(largestShare, size);
    const { total } = this.#options;
    return { total, used: this.count, largestShare, refused: this.#refused, evicted: this.#evicted };
  }

  #hasShare(client: string): boolean {
    const free = this.#options.total - this.count;
    return this.#options.whenFull === "reserve" ? this.countOf(client) < free : free > 0;
  }

  #evictOneFor(client: string): boolean {
    if (this.#options.whenFull !== "evict") return false;
    const victim = this.#victim(client);
    if (victim === undefined) return false;
    this.#evict(victim);
    return true;
  }

  #evict(holder: Holder): void {
    const owner = this.#owners.get(holder)!;
    this.release(holder);
    this.#evicted++;
    this.#options.evict?.(holder, owner);
  }

  /** The holder to evict for one more of `client`. */
  #victim(client: string): Holder | undefined {
    const own = this.countOf(client) + 1;
    let [largest, most] = [client, own];
    for (const [other, { size }] of this.#shares) {
      if (other !== client && size >= most) [largest, most] = [other, size];
    }
    const share = this.#shares.get(largest) ?? [];
    // With a difference of one the two would only swap.
    const mayTake = most > own;
    const { cost } = this.#options;
    if (cost === undefined) return mayTake ? first(share) : undefined;
    const cheapest = cheapestOf(share, cost);
    if (cheapest === undefined) return undefined;
    if (cheapest.cost === 0 || mayTake) return cheapest.holder;
    for (const holder of this.#owners.keys()) {
      if (cost(holder) === 0) return holder;
    }
    return undefined;
  }
}

function first<Holder>(share: Iterable<Holder>): Holder | undefined {
  for (const holder of share) return holder;
  return undefined;
}

function cheapestOf<Holder>(
  holders: Iterable<Holder>,
  costOf: (holder: Holder) => number,
): { holder: Holder; cost: number } | undefined {
  let found: { holder: Holder; cost: number } | undefined;
  for (const holder of holders) {
    const cost = costOf(holder);
    if (found === undefined || cost < found.cost) found = { holder, cost };
    if (cost === 0) break;
  }
  return found;
}
