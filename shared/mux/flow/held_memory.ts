import type { Clock } from "../../clock.ts";

/** Called when memory runs out: closes what holds most of the share, a stream or the session. */
type Shed = () => void;

/** Frees unreachable memory. */
export interface Collector {
  /** Runs synchronously: nothing else runs meanwhile. */
  collect(): void;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Pause after a collection, as a share of the time it took: collections take at most four fifths of the time. With a
 * hostile agent (tests/memory/hostile_queues_test.ts) the server takes 222 to 243 MiB. With a pause of 1 it takes 235
 * to 247, and an honest download at that time a quarter less time; with 0.1 or 0.05 the memory is the same.
 */
const COLLECT_PAUSE = 0.25;
/** The share of the limit above which the collector runs. Readers that only lag stay below: they are not slowed. */
const COLLECT_SHARE = 2 / 3;
/** Bytes added above that share until the collector runs: most of them are garbage by then. */
const COLLECT_BYTES = 8_388_608;

/**
 * Counts the bytes that all sessions of a process hold: bytes that arrived and were not consumed, bytes that wait to be
 * sent, messages, and frames that are kept until they are acknowledged (SPEC.md 5.5). Above the limit, streams are reset
 * or sessions ended until it is met again.
 */
export class HeldMemory {
  /** The most bytes that are held once an event is over. */
  readonly limit: number;
  readonly #shares = new Set<HeldShare>();
  /** Bytes held by each client that holds any. */
  readonly #clients = new Map<string, number>();
  readonly #collector: Collector | undefined;
  #total = 0;
  /** Bytes added since the collector ran, while memory was short. */
  #uncollected = 0;
  /** When the collector may run again. */
  #collectAt = -Infinity;
  #isShedding = false;
  /** Whether `settle` is due once the event is over. */
  #willShed = false;

  /**
   * @param limit Bytes that the whole process may hold.
   * @param collector Runs after every 8 MiB that are added while two thirds of the limit are used, for at most four
   * fifths of the time.
   * @default collector {the runtime alone frees dead buffers}
   */
  constructor(limit: number, collector?: Collector) {
    this.limit = limit;
    this.#collector = collector;
  }

  /** Bytes held now. */
  get total(): number {
    return this.#total;
  }

  /** Whether half of the limit is used. */
  get tight(): boolean {
    return this.#total > this.limit / 2;
  }

  /**
   * Whether half of the limit is used and the client holds more than its fair share of that half, so that its writers
   * should wait where they can. The other clients continue: while half is used, there is always one that holds more.
   */
  tightFor(client: string): boolean {
    if (!this.tight) return false;
    return (this.#clients.get(client) ?? 0) > this.limit / 2 / this.#clients.size;
  }

  /**
   * Makes the share of a session, which lasts until its `close`.
   *
   * @param client Whose session it is. @default {all have the same client}
   */
  share(shed: Shed, client = ""): HeldShare {
    const closed = () => void this.#shares.delete(share);
    const changed = (bytes: number) => this.#changed(bytes, client);
    const share: HeldShare = new HeldShare({ memory: this, client, changed, shed, closed });
    this.#shares.add(share);
    return share;
  }

  #changed(bytes: number, client: string): void {
    this.#total += bytes;
    const held = (this.#clients.get(client) ?? 0) + bytes;
    if (held === 0) this.#clients.delete(client);
    else this.#clients.set(client, held);
    if (bytes > 0 && this.#total > this.limit * COLLECT_SHARE) this.#maybeCollect(bytes);
    if (this.#total <= this.limit || this.#isShedding || this.#willShed) return;
    this.#willShed = true;
    // Deferred: the caller is in the middle of work that the reset of its stream would break.
    queueMicrotask(() => {
      this.#willShed = false;
      this.settle();
    });
  }

  /**
   * Sheds now until the limit is met, for callers whose stream may be reset. One turn of the event loop reads many
   * sockets, and what is deferred runs after all of them: the first reads of many streams held 135 MiB with a limit
   * of 80 (tests/memory/hostile_queues_test.ts).
   */
  settle(): void {
    if (this.#total <= this.limit || this.#isShedding) return;
    this.#isShedding = true;
    try {
      this.#shed();
    } finally {
      this.#isShedding = false;
    }
  }

  #maybeCollect(bytes: number): void {
    this.#uncollected += bytes;
    if (this.#collector === undefined || this.#uncollected < COLLECT_BYTES) return;
    const { clock } = this.#collector;
    const began = clock.now();
    if (began < this.#collectAt) return;
    this.#uncollected = 0;
    this.#collector.collect();
    const ended = clock.now();
    this.#collectAt = ended + COLLECT_PAUSE * (ended - began);
  }

  /**
   * Sheds from the client that holds most over all of its sessions, and there from the session that holds most.
   * So no client loses streams because of another.
   */
  #shed(): void {
    while (this.#total > this.limit) {
      const before = this.#total;
      this.#largest()?.shed();
      if (this.#total >= before) return;
    }
  }

  #largest(): HeldShare | undefined {
    const byClient = new Map<string, { held: number; largest: HeldShare }>();
    for (const share of this.#shares) {
      const { held = 0, largest = share } = byClient.get(share.client) ?? {};
      byClient.set(share.client, {
        held: held + share.held,
        largest: share.held > largest.held ? share : largest,
      });
    }
    let most: { held: number; largest: HeldShare } | undefined;
    for (const each of byClient.values()) {
      if (most === undefined || each.held > most.held) most = each;
    }
    return most?.largest;
  }
}

/** What makes a {@linkcode HeldShare}. */
interface HeldShareInit {
  readonly memory: HeldMemory;
  readonly client: string;
  readonly shed: Shed;
  changed(bytes: number): void;
  closed(): void;
}

/** Counts what one session holds. */
export class HeldShare {
  /** The memory of the whole process. */
  readonly memory: HeldMemory;
  /** Closes what holds most of it. */
  readonly shed: Shed;
  /** Whose session it is. */
  readonly client: string;
  readonly #changed: (bytes: number) => void;
  readonly #closed: () => void;
  #held = 0;

  /** Only `HeldMemory` makes one. */
  constructor({ memory, client, shed, changed, closed }: HeldShareInit) {
    this.memory = memory;
    this.client = client;
    this.shed = shed;
    this.#changed = changed;
    this.#closed = closed;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Adds `bytes`; a negative number gives back. */
  change(bytes: number): void {
    this.#held += bytes;
    this.#changed(bytes);
  }

  /** Removes the share, which has to be empty. */
  close(): void {
    this.#closed();
  }
}
