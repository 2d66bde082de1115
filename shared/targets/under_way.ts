import { SallyportError } from "../errors.ts";

/**
 * How much of one kind of work is under way in the process, and that it stays bounded. No client takes more than
 * half, so that one that asks for whatever is slow does not stop the others.
 */
export class UnderWay {
  readonly #max: number;
  readonly #what: string;
  readonly #counts = new Map<string, number>();
  #count = 0;

  /**
   * @param max The most at once.
   * @param what What is counted, for the message: "look-ups of names".
   */
  constructor(max: number, what: string) {
    this.#max = max;
    this.#what = what;
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
    const share = Math.ceil(this.#max / 2);
    if (this.#count >= this.#max) {
      throw this.#full(doing, `${this.#max} ${this.#what} are under way on the server`);
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
