import { SallyportError } from "../errors.ts";

/** Whose work it is. */
export interface UnderWayOptions {
  /** The program, for the message. @default "the server" */
  where?: string;
  /** Whether there are clients that must not take it from each other. @default true */
  isShared?: boolean;
}

/**
 * How much of one kind of work is under way in the process, and that it stays bounded. Of several clients none
 * takes more than half, so that one that asks for whatever is slow does not stop the others.
 */
export class UnderWay {
  readonly #max: number;
  readonly #what: string;
  readonly #where: string;
  readonly #isShared: boolean;
  readonly #counts = new Map<string, number>();
  #count = 0;

  /**
   * @param max The most at once.
   * @param what What is counted, for the message: "look-ups of names".
   */
  constructor(max: number, what: string, { where = "the server", isShared = true }: UnderWayOptions = {}) {
    this.#max = max;
    this.#what = what;
    this.#where = where;
    this.#isShared = isShared;
  }

  /** How many are under way now. */
  get count(): number {
    return this.#count;
  }

  /**
   * Begins one more.
   *
   * @param doing What it is for, so that "Cannot …" can stand before it.
   * @param client Whom it is for.
   * @returns Ends it; further calls do nothing.
   * @throws SallyportError `limit_reached` when the most are under way, in all or for this client.
   */
  begin(doing: string, client: string): () => void {
    const own = this.#counts.get(client) ?? 0;
    const share = this.#isShared ? Math.ceil(this.#max / 2) : this.#max;
    if (this.#count >= this.#max) {
      throw this.#full(doing, `${this.#max} ${this.#what} are under way on ${this.#where}`);
    }
    if (own >= share) throw this.#full(doing, `${share} ${this.#what} are under way for this client`);
    this.#counts.set(client, own + 1);
    this.#count++;
    let over = false;
    return () => {
      if (!over) this.#end(client);
      over = true;
    };
  }

  #end(client: string): void {
    const own = this.#counts.get(client)! - 1;
    if (own > 0) this.#counts.set(client, own);
    else this.#counts.delete(client);
    this.#count--;
  }

  #full(doing: string, why: string): SallyportError {
    return new SallyportError("limit_reached", `Cannot ${doing}: ${why}`);
  }
}
