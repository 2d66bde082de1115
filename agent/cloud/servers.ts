/** The address of a server. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

interface Known extends ServerAddress {
  /** Open connections. */
  connections: number;
  /** Whether the last attempt to connect to it failed. */
  failed: boolean;
}

/** The known servers, and which of them to dial next. */
export class Servers {
  #known: Known[] = [];

  /** All of them. */
  get all(): readonly ServerAddress[] {
    return this.#known.map(({ host, port }) => ({ host, port }));
  }

  /** Whether a server is worth dialling: not all have failed since the list was last replaced. */
  get hasPromising(): boolean {
    return this.#known.some(({ failed }) => !failed);
  }

  /** Replaces the list: known addresses keep their connection counts, and all count as not failed. */
  replace(addresses: readonly ServerAddress[]): void {
    this.#known = addresses.map(({ host, port }) => {
      const connections = this.#find({ host, port })?.connections ?? 0;
      return { host, port, connections, failed: false };
    });
  }

  /**
   * Picks the server to dial next: of those that did not fail, one with the fewest connections, at random, so that
   * agents spread; undefined when none is known.
   */
  pick(random: () => number = Math.random): ServerAddress | undefined {
    const promising = this.#known.filter(({ failed }) => !failed);
    const from = promising.length > 0 ? promising : this.#known;
    const fewest = Math.min(...from.map(({ connections }) => connections));
    const best = from.filter(({ connections }) => connections === fewest);
    const picked = best[Math.floor(random() * best.length)];
    return picked && { host: picked.host, port: picked.port };
  }

  /** A connection was opened. */
  connected(address: ServerAddress): void {
    const known = this.#find(address);
    if (known === undefined) return;
    known.connections++;
    known.failed = false;
  }

  /** A connection was closed. */
  disconnected(address: ServerAddress): void {
    const known = this.#find(address);
    if (known !== undefined && known.connections > 0) known.connections--;
  }

  /** An attempt to connect failed: others are tried first. */
  failed(address: ServerAddress): void {
    const known = this.#find(address);
    if (known !== undefined) known.failed = true;
  }

  #find({ host, port }: ServerAddress): Known | undefined {
    return this.#known.find((known) => known.host === host && known.port === port);
  }
}
