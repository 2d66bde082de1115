import { SallyportError } from "../../errors.ts";
import { MAX_WINDOW } from "../../protocol/messages.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/** The credit that the peer gave for one direction of a stream (SPEC.md 5.1). */
export class SendWindow {
  /** Body bytes that may be sent in all. */
  #total: number;
  #spent = 0;

  constructor(initial: number) {
    this.#total = initial;
  }

  /** Body bytes that may be sent now. */
  get credit(): number {
    return this.#total - this.#spent;
  }

  /** Body bytes were sent; never more than the credit. */
  spend(bytes: number): void {
    this.#spent += bytes;
  }

  /**
   * The peer raised the total; a lower one came late or twice. Returns by how much it rose.
   * @throws SallyportError `flow_control_violation` when the credit would exceed 16 MiB.
   */
  raise(total: number): number {
    const more = total - this.#total;
    if (more <= 0) return 0;
    if (total - this.#spent > MAX_WINDOW) {
      throw new SallyportError(
        "flow_control_violation",
        `Cannot raise the credit to ${total} bytes: ${this.#spent} were sent, which leaves more than ${MAX_WINDOW}`,
      );
    }
    this.#total = total;
    return more;
  }
}

/**
 * The credit that this end gives to the peer (SPEC.md 5.1). The window grows while the reader keeps up: what is in
 * flight is limited by the sender (SPEC.md 5.3), so that the window only has to bound memory, and only a reader that
 * stops uses any.
 */
export class ReceiveWindow {
  readonly #max: number;
  readonly #budget: MemoryBudget;
  readonly #client: string;
  /** The full window: credit, bytes in our buffers, and consumed bytes that are not yet returned as credit. */
  #size: number;
  /** Body bytes that the peer may send in all, and those that have begun to arrive. */
  #total: number;
  #received = 0;
  /** Bytes that were delivered in order and not yet consumed. */
  #buffered = 0;
  /** Bytes that were consumed and not yet returned as credit. */
  #unreturned = 0;
  #reserved = 0;

  /** @param client Whose stream it is. @default client {all have the same client} */
  constructor(initial: number, max: number, budget: MemoryBudget, client = "") {
    this.#size = initial;
    this.#total = initial;
    this.#max = max;
    this.#budget = budget;
    this.#client = client;
  }

  /** Bytes that were delivered in order and not yet consumed. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Body bytes are arriving; throws `flow_control_violation` without credit for them. */
  receive(bytes: number): void {
    const credit = this.#total - this.#received;
    if (bytes > credit) {
      throw new SallyportError(
        "flow_control_violation",
        `Cannot receive ${bytes} bytes: only ${credit} bytes of credit are left`,
      );
    }
    this.#received += bytes;
  }

  /** Bytes that were received are next in order: their reader may consume them. */
  deliver(bytes: number): void {
    this.#buffered += bytes;
  }

  /** Bytes were consumed. Returns the total to send to the peer now, often 0 for none: it is sent in few messages. */
  consume(bytes: number): number {
    this.#buffered -= bytes;
    this.#unreturned += bytes;
    if (this.#unreturned < this.#size / 4) return 0;
    this.#total += this.#unreturned + this.#grow();
    this.#unreturned = 0;
    return this.#total;
  }

  /** Gives back the memory that growth reserved. */
  release(): void {
    this.#budget.release(this.#reserved, this.#client);
    this.#reserved = 0;
  }

  /** Doubles the window, as far as the budget allows, unless the reader lags. */
  #grow(): number {
    if (this.#buffered > this.#size / 8 || this.#size >= this.#max) return 0;
    const more = this.#budget.reserve(Math.min(this.#size, this.#max - this.#size), this.#client);
    this.#reserved += more;
    this.#size += more;
    return more;
  }
}
