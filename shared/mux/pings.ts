import type { Clock } from "../clock.ts";
import type { SallyportError } from "../errors.ts";

/** Round trips that somebody waits for, by the nonce of their `ping` (SPEC.md 3.2). */
export class Pings {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, { sentAt: number; settled: PromiseWithResolvers<number> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A `ping` was sent. @returns Milliseconds until its `pong` came. */
  sent(nonce: number): Promise<number> {
    const settled = Promise.withResolvers<number>();
    this.#waiting.set(nonce, { sentAt: this.#clock.now(), settled });
    return settled.promise;
  }

  /** A `pong` came; one that nobody waits for, as those of the keepalive, is nothing. */
  answered(nonce: number): void {
    const ping = this.#waiting.get(nonce);
    if (ping === undefined) return;
    this.#waiting.delete(nonce);
    ping.settled.resolve(this.#clock.now() - ping.sentAt);
  }

  /** No `pong` comes any more. */
  fail(error: SallyportError): void {
    for (const { settled } of this.#waiting.values()) settled.reject(error);
    this.#waiting.clear();
  }
}
