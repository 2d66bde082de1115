import type { Writable } from "node:stream";

/** Bytes from which a part waits for the rest of its turn; what is shorter leaves at once. */
const MIN_BYTES = 8_192;

/**
 * Makes one system call of all that one turn of the event loop writes. A read from a connection brings many parts
 * of a body, cut at its frames and records: a call for each would cost a third of the throughput.
 */
export class TurnCork {
  readonly #writable: Pick<Writable, "cork" | "uncork">;
  readonly #endTurn = () => {
    this.#corked = false;
    this.#writable.uncork();
  };
  #corked = false;

  /** @param writable Whose writes are gathered. */
  constructor(writable: Pick<Writable, "cork" | "uncork">) {
    this.#writable = writable;
  }

  /** A part of this length is about to be written. */
  before(byteLength: number): void {
    if (this.#corked || byteLength < MIN_BYTES) return;
    this.#corked = true;
    this.#writable.cork();
    queueMicrotask(this.#endTurn);
  }
}
