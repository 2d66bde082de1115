import type { Clock } from "../shared/clock.ts";
import type { Logger } from "../shared/log.ts";

/** Milliseconds between two lines. */
const INTERVAL = 60_000;

/**
 * Logs refused calls, one line a minute: anybody can call, and each line is paid for. The calls between two lines are
 * counted, and the next line has their number. There is no timer, since a function stands still between calls.
 */
export class RefusedCalls {
  readonly #clock: Clock;
  readonly #log: Pick<Logger, "warn">;
  #next = -Infinity;
  #unlogged = 0;

  constructor(clock: Clock, log: Pick<Logger, "warn">) {
    this.#clock = clock;
    this.#log = log;
  }

  /** A call was refused. */
  add(fields: Readonly<Record<string, string>>): void {
    const now = this.#clock.now();
    if (now < this.#next) {
      this.#unlogged++;
      return;
    }
    this.#log.warn("call refused", { ...fields, unlogged: this.#unlogged });
    this.#next = now + INTERVAL;
    this.#unlogged = 0;
  }
}
