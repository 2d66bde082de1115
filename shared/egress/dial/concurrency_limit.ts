import { SallyportError } from "../../errors.ts";
import { type LimitFigures, SharedLimit } from "../../limits/shared_limit.ts";

/** Options of a {@linkcode ConcurrencyLimit}. */
export interface ConcurrencyLimitOptions {
  /** The program that the limit belongs to, for the message. @default "the server" */
  where?: string;
  /** Whether several clients share the limit, so that each needs its share. @default true */
  isShared?: boolean;
}

/**
 * Limits how many operations of one kind run at once in the process. Each of several clients may have as many as are
 * free, so that a client whose operations are slow does not stop the others.
 */
export class ConcurrencyLimit {
  readonly #limit: SharedLimit<object>;
  readonly #max: number;
  readonly #what: string;
  readonly #where: string;

  /**
   * @param max The most at once.
   * @param what What is counted, in the plural, for the message: "name lookups".
   */
  constructor(
    max: number,
    what: string,
    { where = "the server", isShared = true }: ConcurrencyLimitOptions = {},
  ) {
    this.#limit = new SharedLimit({ total: max, whenFull: isShared ? "reserve" : "refuse" });
    this.#max = max;
    this.#what = what;
    this.#where = where;
  }

  /** How many run now. */
  get count(): number {
    return this.#limit.count;
  }

  /** How full it is, for metrics. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /**
   * Begins one more.
   *
   * @param doing What it is for, so that "Cannot …" can stand before it.
   * @param client The client that it is for.
   * @returns Ends it; further calls do nothing.
   * @throws SallyportError `limit_reached` when too many are running, in total or for this client.
   */
  begin(doing: string, client: string): () => void {
    const holder = {};
    if (!this.#limit.take(client, holder)) throw this.#full(doing, client);
    return () => void this.#limit.release(holder);
  }

  #full(doing: string, client: string): SallyportError {
    const own = this.#limit.countOf(client);
    const why = own === 0 || own === this.#max
      ? `too many ${this.#what} at once on ${this.#where} (${this.#limit.count})`
      : `too many ${this.#what} at once for this client (${own})`;
    return new SallyportError("limit_reached", `Cannot ${doing}: ${why}`);
  }
}
