/** What a stream has used of its session since it began; it changes while the stream is open. */
export interface SessionUse {
  /**
   * Where the agent's connections since then came from: the address with its port if there was one connection, otherwise
   * each address once, without its port. Of the addresses that came later, only the latest 16.
   */
  readonly from: readonly string[];
  /** How often the session lost all connections and continued since then. */
  readonly resumptions: number;
}

/** Addresses of later connections that one {@linkcode SessionUse} lists. */
const MAX_LATER = 16;

/** The latest connection from an address. */
interface Arrival {
  /** The address with its port. */
  readonly remote: string;
  /** How many connections came before it. */
  readonly number: number;
}

/** What happens to a session's connections, as far as its audit lines tell. */
export class SessionHistory {
  readonly #resumptions: () => number;
  /** The latest arrivals by address without port, the oldest first. It is bounded, however often an agent dials. */
  readonly #arrivals = new Map<string, Arrival>();
  #count = 0;

  /** @param resumptions How often the session continued after it had lost all connections. */
  constructor(resumptions: () => number) {
    this.#resumptions = resumptions;
  }

  /** A connection was added. @param remotes Where it comes from, with ports. */
  arrived(remotes: readonly string[]): void {
    for (const remote of remotes) {
      const address = withoutPort(remote);
      this.#arrivals.delete(address);
      this.#arrivals.set(address, { remote, number: this.#count++ });
      if (this.#arrivals.size > MAX_LATER) this.#arrivals.delete(this.#arrivals.keys().next().value!);
    }
  }

  /** What is used from now on. @param open Where the open connections come from, with ports. */
  use(open: readonly string[]): SessionUse {
    const [countBefore, resumptionsBefore] = [this.#count, this.#resumptions()];
    const from = () => {
      const later = [...this.#arrivals.values()].filter(({ number }) => number >= countBefore);
      const remotes = [...open, ...later.map(({ remote }) => remote)];
      const isOne = open.length + this.#count - countBefore <= 1;
      return isOne ? remotes : [...new Set(remotes.map(withoutPort))];
    };
    const resumptions = () => this.#resumptions() - resumptionsBefore;
    return {
      get from() {
        return from();
      },
      get resumptions() {
        return resumptions();
      },
    };
  }
}

/** The address of `192.0.2.1:443` or `[2001:db8::1]:443`. */
function withoutPort(remote: string): string {
  return remote.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
