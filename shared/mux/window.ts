import { SallyportError } from "../errors.ts";
import { MAX_WINDOW } from "../protocol/messages.ts";
import type { MemoryBudget } from "./memory_budget.ts";

/** The credit that the peer gave to one direction of a stream (SPEC.md 5.1). */
export class SendWindow {
  #credit: number;

  constructor(initial: number) {
    this.#credit = initial;
  }

  /** Body bytes that may be sent now. */
  get credit(): number {
    return this.#credit;
  }

  /** Body bytes were sent; never more than the credit. */
  spend(bytes: number): void {
    this.#credit -= bytes;
  }

  /** The peer gave more; throws `flow_control_violation` above 16 MiB. */
  widen(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit <= MAX_WINDOW) return;
    throw new SallyportError(
      "flow_control_violation",
      `Cannot take ${bytes} bytes of credit: the sum ${this.#credit} exceeds ${MAX_WINDOW}`,
    );
  }
}

/**
 * The credit that this end gave (SPEC.md 5.1). It grows while the reader keeps up: flow over the path is
 * limited by its sender (SPEC.md 5.3), so that the window only has to bound memory, and only a
 * reader that stops takes any.
 */
export class ReceiveWindow {
  readonly #max: number;
  readonly #budget: MemoryBudget;
  readonly #client: string;
  /** What a sender may have under way, in our buffers or unreturned: the window's full width. */
  #size: number;
  /** Credit that the peer holds. */
  #credit: number;
  /** Bytes that arrived and were not yet handed on. */
  #buffered = 0;
  /** Bytes that were handed on and not yet returned as credit. */
  #unreturned = 0;
  #reserved = 0;

  /** @param client Whose stream it is. @default client {all are of one client} */
  constructor(initial: number, max: number, budget: MemoryBudget, client = "") {
    this.#size = initial;
    this.#credit = initial;
    this.#max = max;
    this.#budget = budget;
    this.#client = client;
  }

  /** Bytes that arrived and were not yet handed on. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Body bytes are arriving; throws `flow_control_violation` when there was no credit for them. */
  receive(bytes: number): void {
    if (bytes > this.#credit) {
      throw new SallyportError(
        "flow_control_violation",
        `Cannot take ${bytes} bytes: only ${this.#credit} bytes of credit are left`,
      );
    }
    this.#credit -= bytes;
    this.#buffered += bytes;
  }

  /** Bytes were handed on. Returns the credit to send to the peer now, often 0: it goes out in few messages. */
  consume(bytes: number): number {
    this.#buffered -= bytes;
    this.#unreturned += bytes;
    if (this.#unreturned < this.#size / 4) return 0;
    const granted = this.#unreturned + this.#grow();
    this.#unreturned = 0;
    this.#credit += granted;
    return granted;
  }

  /** Gives the memory back that growth took. */
  release(): void {
    this.#budget.release(this.#reserved, this.#client);
    this.#reserved = 0;
  }

  /** Doubles the window unless the reader lags, by what the budget has. */
  #grow(): number {
    if (this.#buffered > this.#size / 8 || this.#size >= this.#max) return 0;
    const more = this.#budget.reserve(Math.min(this.#size, this.#max - this.#size), this.#client);
    this.#reserved += more;
    this.#size += more;
    return more;
  }
}
