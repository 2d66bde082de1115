import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import { faultOf } from "../../shared/tls/fault.ts";

/** Milliseconds for which lines are counted together. */
const WINDOW = 60_000;
/** Lines of one kind and window that are written. */
const DEFAULT_LIMIT = 20;

/** What makes a {@linkcode RefusalLog}. */
export interface RefusalLogInit {
  readonly log: Pick<Logger, "warn">;
  readonly clock: Clock;
  /** Lines a minute of each kind; what is beyond is counted, and told at the minute's end. @default 20 */
  readonly limit?: number;
}

/**
 * Logs who was not let in. A port of the internet is scanned all the time: a line for each connection would let any
 * stranger fill the log, and whoever pays for it would pay for that. Each kind has lines of its own, so that nobody
 * hides a revoked certificate behind the noise of connections without one.
 */
export class RefusalLog {
  readonly #init: RefusalLogInit;
  /** Refusals of this minute by kind: what is wrong with the certificate, or else the error's code. */
  readonly #counts = new Map<string, number>();
  #cancel: CancelTimer | undefined;

  constructor(init: RefusalLogInit) {
    this.#init = init;
  }

  /** Somebody was not let in. */
  add(error: SallyportError, remote: string): void {
    const { log, clock, limit = DEFAULT_LIMIT } = this.#init;
    this.#cancel ??= clock.after(WINDOW, () => this.flush());
    const { code, message } = error;
    const kind = faultOf(error)?.kind ?? code;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= limit) log.warn("agent refused", { remote, code, reason: message });
  }

  /** Tells what was only counted, and begins anew. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const { log, limit = DEFAULT_LIMIT } = this.#init;
    const left = [...this.#counts].filter(([, count]) => count > limit);
    this.#counts.clear();
    if (left.length === 0) return;
    const kinds = left.map(([kind, count]) => `${kind} ${count - limit}`).join(", ");
    const count = left.reduce((sum, [, count]) => sum + count - limit, 0);
    log.warn("more agents refused, not logged one by one", { count, kinds });
  }
}
