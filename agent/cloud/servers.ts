/** Where a server is. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

interface Known extends ServerAddress {
  /** Connections to it now. */
  connections: number;
  /** Whether the last attempt to connect to it failed. */
  failed: boolean;
}

/** The servers that are known, and which of them to dial next. */
export class Servers {
  #known: Known[] = [];

  /** All of them. */
  get all(): readonly ServerAddress[] {
    return this.#known.map(({ host, port }) => ({ host, port }));
  }

  /** Whether one is worth dialling: not all have failed since somebody was last asked where they are. */
  get hasPromising(): boolean {
    return this.#known.some(({ failed }) => !failed);
  }

  /** Takes over a new list: addresses that were known keep their connections, and all get another chance. */
  replace(addresses: readonly ServerAddress[]): void {
    this.#known = addresses.map(({ host, port }) => {
      const connections = this.#find({ host, port })?.connections ?? 0;
      return { host, port, connections, failed: false };
    });
  }

  /**
   * The server to dial next: of those that did not fail, one with the fewest connections, at random, so that agents
   * spread; undefined when none is known.
   */
  pick(random: () => number = Math.random): ServerAddress | undefined {
    const promising = this.#known.filter(({ failed }) => !failed);
    const from = promising.length > 0 ? promising : this.#known;
    const fewest = Math.min(...from.map(({ connections }) => connections));
    const best = from.filter(({ connections }) => connections === fewest);
    const picked = best[Math.floor(random() * best.length)];
    return picked && { host: picked.host, port: picked.port };
  }

  /** A connection is up. */
  connected(address: ServerAddress): void {
    const known = this.#find(address);
    if (known === undefined) return;
    known.connections++;
    known.failed = false;
  }

  /** A connection is gone. */
  disconnected(address: ServerAddress): void {
    const known = this.#find(address);
    if (known !== undefined && known.connections > 0) known.connections--;
  }

  /** An attempt to connect failed: others are tried before this one. */
  failed(address: ServerAddress): void {
    const known = this.#find(address);
    if (known !== undefined) known.failed = true;
  }

  #find({ host, port }: ServerAddress): Known | undefined {
    return this.#known.find((known) => known.host === host && known.port === port);
  }
}
