import { SallyportError } from "../errors.ts";
import { type LimitFigures, SharedLimit } from "../limits/shared_limit.ts";

/** Whose work it is. */
export interface UnderWayOptions {
  /** The program, for the message. @default "the server" */
  where?: string;
  /** Whether there are clients that must not take it from each other. @default true */
  isShared?: boolean;
}

/**
 * How much of one kind of work is under way in the process, and that it stays bounded. Each of several clients may
 * have as much under way as is free, so that one that asks for whatever is slow does not stop the others.
 */
export class UnderWay {
  readonly #limit: SharedLimit<object>;
  readonly #max: number;
  readonly #what: string;
  readonly #where: string;

  /**
   * @param max The most at once.
   * @param what What is counted, for the message: "look-ups of names".
   */
  constructor(max: number, what: string, { where = "the server", isShared = true }: UnderWayOptions = {}) {
    this.#limit = new SharedLimit({ total: max, whenFull: isShared ? "reserve" : "refuse" });
    this.#max = max;
    this.#what = what;
    this.#where = where;
  }

  /** How many are under way now. */
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
   * @param client Whom it is for.
   * @returns Ends it; further calls do nothing.
   * @throws SallyportError `limit_reached` when too many are under way, in all or for this client.
   */
  begin(doing: string, client: string): () => void {
    const holder = {};
    if (!this.#limit.take(client, holder)) throw this.#full(doing, client);
    return () => void this.#limit.release(holder);
  }

  #full(doing: string, client: string): SallyportError {
    const own = this.#limit.countOf(client);
    const why = own === 0 || own === this.#max
      ? `${this.#limit.count} ${this.#what} are under way on ${this.#where}`
      : `${own} ${this.#what} are under way for this client`;
    return new SallyportError("limit_reached", `Cannot ${doing}: ${why}`);
  }
}
