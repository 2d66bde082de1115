/** What makes a {@linkcode SharedLimit}. */
export interface SharedLimitOptions<Holder> {
  /** The most at once, over all clients. */
  readonly total: number;
  /**
   * What happens to one more:
   *
   * - `evict`: while there is room anyone may take it. When there is none, the client that has the most gives way to
   *   one that has clearly fewer, and whatever costs nothing to evict gives way to anyone.
   * - `reserve`: nothing is taken back, so each client may have at most as much as is free. One alone gets half, two
   *   get a third each, and there is always some left for the next (dynamic thresholds, as in switch buffers).
   * - `refuse`: there is one client only, which may have all of it.
   */
  readonly whenFull: "evict" | "reserve" | "refuse";
  /** Ends a holder that was evicted; it is not counted any more. */
  evict?(holder: Holder, client: string): void;
  /**
   * What it costs to evict a holder: the cheapest goes first, the oldest of those. 0 is nothing.
   *
   * @default {the same for all, so that no holder is compared with another}
   */
  cost?(holder: Holder): number;
}

/** How full a limit is, for metrics. */
export interface LimitFigures {
  /** The most at once. */
  readonly total: number;
  /** Taken now. */
  readonly used: number;
  /** Taken now by the client that has the most. */
  readonly largestShare: number;
  /** Refused since the start. */
  readonly refused: number;
  /** Evicted since the start. */
  readonly evicted: number;
}

/**
 * A total that clients share: connections, handshakes, look-ups and so on. A client is a certificate, or an address
 * before there is one. No client can take what others need, however much it asks for.
 */
export class SharedLimit<Holder> {
  readonly #options: SharedLimitOptions<Holder>;
  /** Who holds what, the oldest first. */
  readonly #owners = new Map<Holder, string>();
  readonly #shares = new Map<string, Set<Holder>>();
  #refused = 0;
  #evicted = 0;

  constructor(options: SharedLimitOptions<Holder>) {
    this.#options = options;
  }

  /** Taken now. */
  get count(): number {
    return this.#owners.size;
  }

  /** Taken now by one client. */
  countOf(client: string): number {
    return this.#shares.get(client)?.size ?? 0;
  }

  /** Takes room for `holder`, which must not have any; false when there is none for this client. */
  take(client: string, holder: Holder): boolean {
    if (!this.#hasRoom(client) && !this.#makeRoom(client)) {
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
   * Evicts up to `count` holders, by the rule of `evict`, though the limit is not reached: another resource that they
   * hold is short, and `client` needs some of it.
   *
   * @returns How many gave way.
   */
  makeWay(client: string, count: number): number {
    let evicted = 0;
    while (evicted < count && this.#makeRoom(client)) evicted++;
    return evicted;
  }

  /** Gives the room of `holder` back; false when it has none (any more). */
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

  #hasRoom(client: string): boolean {
    const free = this.#options.total - this.count;
    return this.#options.whenFull === "reserve" ? this.countOf(client) < free : free > 0;
  }

  #makeRoom(client: string): boolean {
    if (this.#options.whenFull !== "evict") return false;
    const victim = this.#victim(client);
    if (victim === undefined) return false;
    const owner = this.#owners.get(victim)!;
    this.release(victim);
    this.#evicted++;
    this.#options.evict?.(victim, owner);
    return true;
  }

  /** Who gives way to one more of `client`. */
  #victim(client: string): Holder | undefined {
    const own = this.countOf(client) + 1;
    let [greediest, most] = [client, own];
    for (const [other, { size }] of this.#shares) {
      if (other !== client && size >= most) [greediest, most] = [other, size];
    }
    const share = this.#shares.get(greediest) ?? [];
    // With a difference of one the two would only change places.
    const mayTake = most > own;
    const { cost } = this.#options;
    if (cost === undefined) return mayTake ? oldest(share) : undefined;
    const cheapest = cheapestOf(share, cost);
    if (cheapest === undefined) return undefined;
    if (cheapest.cost === 0 || mayTake) return cheapest.holder;
    for (const holder of this.#owners.keys()) {
      if (cost(holder) === 0) return holder;
    }
    return undefined;
  }
}

function oldest<Holder>(share: Iterable<Holder>): Holder | undefined {
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
