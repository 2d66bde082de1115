import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";

/** Milliseconds for which lines are counted together. */
const WINDOW = 60_000;
/** Lines of one window that are written. */
const DEFAULT_LIMIT = 100;

/** What makes a {@linkcode RefusalLog}. */
export interface RefusalLogInit {
  readonly log: Pick<Logger, "warn">;
  readonly clock: Clock;
  /** Lines a minute; what is beyond is counted, and told at the minute's end. @default 100 */
  readonly limit?: number;
}

/**
 * Logs who was not let in. A port of the internet is scanned all the time: a line for each connection would let any
 * stranger fill the log, and whoever pays for it would pay for that.
 */
export class RefusalLog {
  readonly #init: RefusalLogInit;
  #written = 0;
  #left = 0;
  #cancel: CancelTimer | undefined;

  constructor(init: RefusalLogInit) {
    this.#init = init;
  }

  /** Somebody was not let in. */
  add({ code, message }: SallyportError, remote: string): void {
    const { log, clock, limit = DEFAULT_LIMIT } = this.#init;
    this.#cancel ??= clock.after(WINDOW, () => this.flush());
    if (this.#written >= limit) {
      this.#left++;
      return;
    }
    this.#written++;
    log.warn("agent refused", { remote, code, reason: message });
  }

  /** Tells what was only counted, and begins anew. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#left > 0) {
      this.#init.log.warn("more agents refused, not logged one by one", { count: this.#left });
    }
    this.#written = this.#left = 0;
  }
}
