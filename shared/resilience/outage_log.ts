import type { Clock } from "../clock.ts";

/** Fields of a log line about an outage. */
export interface Outage {
  /** Attempts that failed since it began. */
  readonly attempts: number;
  /** Seconds since it began. */
  readonly down_for_s: number;
}

/** Options of an {@linkcode OutageLog}. */
export interface OutageLogInit {
  readonly clock: Pick<Clock, "now">;
  /** Milliseconds between two lines with the same error. @default 60000 */
  readonly every?: number;
}

const EVERY = 60_000;
/** Different errors logged within one period: they may alternate, as those of several servers do. */
const MAX_ERRORS = 8;

/**
 * Decides which failures of something that is retried are logged: the first one, one with another error, and then one
 * in each period. The others are only counted.
 */
export class OutageLog {
  readonly #clock: Pick<Clock, "now">;
  readonly #every: number;
  /** Errors logged in this period. */
  readonly #logged = new Set<string>();
  #periodAt = 0;
  #since: number | undefined;
  #attempts = 0;

  constructor({ clock, every = EVERY }: OutageLogInit) {
    this.#clock = clock;
    this.#every = every;
  }

  /** Notes that an attempt failed. @returns The fields of the line to log; undefined if none is due. */
  failed(error: string): Outage | undefined {
    const now = this.#clock.now();
    this.#since ??= now;
    this.#attempts++;
    if (now - this.#periodAt >= this.#every) this.#logged.clear();
    if (this.#logged.has(error) || this.#logged.size >= MAX_ERRORS) return undefined;
    if (this.#logged.size === 0) this.#periodAt = now;
    this.#logged.add(error);
    return this.#outage(now, this.#since);
  }

  /** Notes that it works again. @returns The outage that has ended; undefined if there was none. */
  recovered(): Outage | undefined {
    const since = this.#since;
    if (since === undefined) return undefined;
    const outage = this.#outage(this.#clock.now(), since);
    this.#since = undefined;
    this.#attempts = 0;
    this.#logged.clear();
    return outage;
  }

  #outage(now: number, since: number): Outage {
    return { attempts: this.#attempts, down_for_s: Math.round((now - since) / 1000) };
  }
}
