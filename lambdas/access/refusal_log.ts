import type { Clock } from "../../shared/clock.ts";
import type { LogFields, Logger } from "../../shared/log.ts";
import type { AuthenticationError, RequestError } from "./call_verifier.ts";

/** Milliseconds between two lines of a kind. */
const INTERVAL_MS = 60_000;

/** When a kind may be logged again, and how many were not logged since its last line. */
interface Lines {
  readonly next: number;
  unlogged: number;
}

/**
 * Logs refused calls, one line per minute of each kind: anyone can call, and each line costs money, but scanners must
 * not hide that a certificate has expired. Calls between two lines are counted, and the next line of that kind has their
 * number. There is no timer, since a function is frozen between calls.
 */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Pick<Logger, "warn">;
  readonly #kinds = new Map<string, Lines>();

  constructor(clock: Clock, log: Pick<Logger, "warn">) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Logs or counts a refused call. */
  add({ kind, message: error }: AuthenticationError | RequestError, fields: LogFields = {}): void {
    const now = this.#clock.now();
    const lines = this.#kinds.get(kind);
    if (lines !== undefined && now < lines.next) {
      lines.unlogged++;
      return;
    }
    this.#log.warn("call refused", { ...fields, code: kind, error, unlogged: lines?.unlogged ?? 0 });
    this.#kinds.set(kind, { next: now + INTERVAL_MS, unlogged: 0 });
  }
}
