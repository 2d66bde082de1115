/** What a share's owner does when memory runs out: it ends whatever holds most of the share. */
export type Shed = () => void;

/** The part of the limit above which the collector runs. Readers that only lag stay below: they are not slowed. */
const COLLECT_SHARE = 2 / 3;
/** Bytes that come above it until the collector runs: most of them are garbage by then. */
const COLLECT_BYTES = 8_388_608;

/**
 * What all streams of a process hold, in bytes: what arrived and was not handed on, what waits to be sent, and
 * messages (SPEC.md 5.5). Beyond the limit streams are ended until it is met again.
 */
export class HeldMemory {
  /** The most that is held for longer than one event takes. */
  readonly limit: number;
  readonly #shares = new Set<HeldShare>();
  /** What each client holds that holds anything. */
  readonly #clients = new Map<string, number>();
  readonly #collect: (() => void) | undefined;
  #total = 0;
  /** Bytes that came since the collector ran, while memory was short. */
  #churn = 0;
  #shedding = false;

  /**
   * @param limit The cap of the whole process, in bytes.
   * @param collect Frees what is dead; runs after every 8 MiB that come while two thirds of the limit are used.
   * @default collect {dead buffers stay until the runtime frees them}
   */
  constructor(limit: number, collect?: () => void) {
    this.limit = limit;
    this.#collect = collect;
  }

  /** What is held now. */
  get total(): number {
    return this.#total;
  }

  /** Whether half of the limit is used. */
  get tight(): boolean {
    return this.#total > this.limit / 2;
  }

  /**
   * Whether half of the limit is used and the client holds more than its fair share of that half, so that its writers
   * should wait where they can. The others go on: while half is used, there is always one that holds more.
   */
  tightFor(client: string): boolean {
    if (!this.tight) return false;
    return (this.#clients.get(client) ?? 0) > this.limit / 2 / this.#clients.size;
  }

  /**
   * Gives a connection its share; it ends with `close`.
   *
   * @param client Whose connection it is. @default {all are of one client}
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
    if (bytes > 0 && this.#total > this.limit * COLLECT_SHARE) this.#churned(bytes);
    if (this.#total <= this.limit || this.#shedding) return;
    this.#shedding = true;
    // Later, because whoever adds is in the middle of something that the end of its stream would upset.
    queueMicrotask(() => {
      try {
        this.#shed();
      } finally {
        this.#shedding = false;
      }
    });
  }

  #churned(bytes: number): void {
    this.#churn += bytes;
    if (this.#collect === undefined || this.#churn < COLLECT_BYTES) return;
    this.#churn = 0;
    this.#collect();
  }

  /**
   * Of the client that holds most, over all of its connections, the one that holds most gives first: one of many is
   * not ended for the greed of another.
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

/** What makes a share; only `HeldMemory` does. */
interface HeldShareInit {
  readonly memory: HeldMemory;
  readonly client: string;
  readonly shed: Shed;
  changed(bytes: number): void;
  closed(): void;
}

/** What the streams of one connection hold. */
export class HeldShare {
  /** The whole of which it is a part. */
  readonly memory: HeldMemory;
  /** Ends what holds most of it. */
  readonly shed: Shed;
  /** Whose connection it is. */
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

  /** Bytes that it holds. */
  get held(): number {
    return this.#held;
  }

  /** Adds `bytes`; a negative number gives back. */
  change(bytes: number): void {
    this.#held += bytes;
    this.#changed(bytes);
  }

  /** Ends the share, which has to be empty. */
  close(): void {
    this.#closed();
  }
}
