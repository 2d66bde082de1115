import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { SallyportError } from "../../shared/errors.ts";

interface Waiter {
  resume(): void;
  refuse(error: SallyportError): void;
  cancel: CancelTimer;
}

/** Streams that wait until the tunnel is up, each for a limited time. */
export class WaitingStreams {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #waiters = new Set<Waiter>();
  #lastError: SallyportError | undefined;

  /** @param timeout The longest wait, in milliseconds. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** How many streams wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves when the tunnel is up; rejects with `tunnel_down` and the last error after the timeout. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resume: resolve,
        refuse: reject,
        cancel: this.#clock.after(this.#timeout, () => {
          this.#waiters.delete(waiter);
          reject(this.#timeoutError());
        }),
      };
      this.#waiters.add(waiter);
    });
  }

  /** Stores why the tunnel is not up yet. */
  note(error: SallyportError): void {
    this.#lastError = error;
  }

  /** Lets all continue. */
  resumeAll(): void {
    this.#lastError = undefined;
    for (const waiter of this.#takeAll()) waiter.resume();
  }

  /** Refuses all. */
  refuseAll(error: SallyportError): void {
    for (const waiter of this.#takeAll()) waiter.refuse(error);
  }

  #takeAll(): Waiter[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.cancel();
    return waiters;
  }

  #timeoutError(): SallyportError {
    const cause = this.#lastError;
    const reason = cause === undefined ? "the server did not answer" : cause.message;
    const message = `Cannot reach the server within ${this.#timeout / 1000} s: ${reason}`;
    return new SallyportError("tunnel_down", message, { cause });
  }
}
