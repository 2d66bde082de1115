import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";

interface Waiter {
  admit(): void;
  refuse(error: SallyportError): void;
  cancel: CancelTimer;
}

/** Those who wait until the tunnel is up, each for a limited time. */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #waiters = new Set<Waiter>();
  #lastReason: SallyportError | undefined;

  /** @param timeout Milliseconds that each may wait. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** How many wait now. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves when all are admitted; rejects with `tunnel_down` after the timeout, saying why the last dial failed. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        admit: resolve,
        refuse: reject,
        cancel: this.#clock.after(this.#timeout, () => {
          this.#waiters.delete(waiter);
          reject(this.#late());
        }),
      };
      this.#waiters.add(waiter);
    });
  }

  /** Remembers why nobody can be admitted yet. */
  note(reason: SallyportError): void {
    this.#lastReason = reason;
  }

  /** Lets everybody go on. */
  admitAll(): void {
    this.#lastReason = undefined;
    for (const waiter of this.#takeAll()) waiter.admit();
  }

  /** Sends everybody away. */
  refuseAll(error: SallyportError): void {
    for (const waiter of this.#takeAll()) waiter.refuse(error);
  }

  #takeAll(): Waiter[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.cancel();
    return waiters;
  }

  #late(): SallyportError {
    const cause = this.#lastReason;
    const why = cause === undefined ? "the server did not answer" : cause.message;
    const message = `Cannot reach the server within ${this.#timeout / 1000} s: ${why}`;
    return new SallyportError("tunnel_down", message, { cause });
  }
}
