/** What a share's owner does when memory runs out: it ends whatever holds most of the share. */
export type Shed = () => void;

/**
 * What all streams of a process hold, in bytes: what arrived and was not handed on, what waits to be sent, and
 * messages (SPEC.md 5.5). Beyond the limit streams are ended until it is met again.
 */
export class HeldMemory {
  /** The most that is held for longer than one event takes. */
  readonly limit: number;
  readonly #shares = new Set<HeldShare>();
  #total = 0;
  #shedding = false;

  /** @param limit The cap of the whole process, in bytes. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** What is held now. */
  get total(): number {
    return this.#total;
  }

  /** Whether half of the limit is used, so that writers should wait where they can. */
  get tight(): boolean {
    return this.#total > this.limit / 2;
  }

  /** Gives a connection its share; it ends with `close`. */
  share(shed: Shed): HeldShare {
    const share: HeldShare = new HeldShare(this, (bytes) => this.#changed(bytes), shed, () => {
      this.#shares.delete(share);
    });
    this.#shares.add(share);
    return share;
  }

  #changed(bytes: number): void {
    this.#total += bytes;
    if (this.#total <= this.limit || this.#shedding) return;
    this.#shedding = true;
    // Later, because whoever adds is in the middle of something that the end of its stream would upset.
    queueMicrotask(() => {
      this.#shed();
      this.#shedding = false;
    });
  }

  /** The connection that holds most gives first, so that one of many is not ended for the greed of another. */
  #shed(): void {
    while (this.#total > this.limit) {
      const before = this.#total;
      let largest: HeldShare | undefined;
      for (const share of this.#shares) {
        if (largest === undefined || share.held > largest.held) largest = share;
      }
      largest?.shed();
      if (this.#total >= before) return;
    }
  }
}

/** What the streams of one connection hold. */
export class HeldShare {
  /** The whole of which it is a part. */
  readonly memory: HeldMemory;
  /** Ends what holds most of it. */
  readonly shed: Shed;
  readonly #changed: (bytes: number) => void;
  readonly #closed: () => void;
  #held = 0;

  /** Only `HeldMemory` makes one. */
  constructor(memory: HeldMemory, changed: (bytes: number) => void, shed: Shed, closed: () => void) {
    this.memory = memory;
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
