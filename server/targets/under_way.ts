import { SallyportError } from "../../shared/errors.ts";

/** How much of one kind of work is under way in the process, and that it stays bounded. */
export class UnderWay {
  #count = 0;

  /**
   * @param max The most at once.
   * @param what What is counted, for the message: "look-ups of names".
   */
  constructor(readonly max: number, readonly what: string) {}

  /** How many are under way now. */
  get count(): number {
    return this.#count;
  }

  /**
   * Begins one more.
   *
   * @param doing What it is for, so that "Cannot …" can stand before it.
   * @returns Ends it; further calls do nothing.
   * @throws SallyportError `limit_reached` when the most are under way.
   */
  begin(doing: string): () => void {
    if (this.#count >= this.max) {
      const problem = `${this.max} ${this.what} are under way on the server`;
      throw new SallyportError("limit_reached", `Cannot ${doing}: ${problem}`);
    }
    this.#count++;
    let over = false;
    return () => {
      if (!over) this.#count--;
      over = true;
    };
  }
}
