import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { SharedLimit } from "../../shared/limits/shared_limit.ts";
import type { Logger } from "../../shared/log.ts";
import { addressBlock } from "../../shared/net/address_block.ts";
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
 * hides a revoked certificate behind the noise of connections without one; and of these an address may have as many as
 * are left, so that a busy one leaves some to others.
 */
export class RefusalLog {
  readonly #init: RefusalLogInit;
  /**
   * Lines of this minute by kind: what is wrong with the certificate, or else the error's code. A line takes its room
   * until the minute is over.
   */
  readonly #lines = new Map<string, SharedLimit<object>>();
  #cancel: CancelTimer | undefined;

  constructor(init: RefusalLogInit) {
    this.#init = init;
  }

  /** Somebody was not let in. */
  add(error: SallyportError, remote: string): void {
    const { log, clock } = this.#init;
    this.#cancel ??= clock.after(WINDOW, () => this.flush());
    const { code, message } = error;
    const kind = faultOf(error)?.kind ?? code;
    const lines = this.#lines.get(kind) ?? this.#add(kind);
    if (lines.take(addressBlock(remote), {})) log.warn("agent refused", { remote, code, reason: message });
  }

  /** Tells what was only counted, and begins anew. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const left = [...this.#lines].map(([kind, lines]) => ({ kind, count: lines.figures().refused }))
      .filter(({ count }) => count > 0);
    this.#lines.clear();
    if (left.length === 0) return;
    const kinds = left.map(({ kind, count }) => `${kind} ${count}`).join(", ");
    const count = left.reduce((sum, { count }) => sum + count, 0);
    this.#init.log.warn("more agents refused, not logged one by one", { count, kinds });
  }

  #add(kind: string): SharedLimit<object> {
    const lines = new SharedLimit<object>({ total: this.#init.limit ?? DEFAULT_LIMIT, whenFull: "reserve" });
    this.#lines.set(kind, lines);
    return lines;
  }
}
