import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { SharedLimit } from "../../shared/limits/shared_limit.ts";

/** Milliseconds after which the limits start afresh. */
const WINDOW_MS = 60_000;

/** Lines that were not logged in a minute. */
export interface LeftOutLines {
  readonly count: number;
  /** How many of each kind, as text. */
  readonly kinds: string;
}

/** What makes a {@linkcode LineLimit}. */
export interface LineLimitInit {
  readonly clock: Clock;
  /** Lines of one kind per minute. */
  readonly limit: number;
  /** A minute is over in which lines were left out. */
  leftOut(lines: LeftOutLines): void;
}

/**
 * Limits how many lines others can cause in a log. Each kind of line has its own limit, so that frequent ones do not
 * hide others. Within a kind, a client gets at most as many lines as it leaves to others.
 */
export class LineLimit {
  readonly #init: LineLimitInit;
  /** Lines of this minute by kind. A line counts until the minute is over. */
  readonly #lines = new Map<string, SharedLimit<object>>();
  #cancel: CancelTimer | undefined;

  constructor(init: LineLimitInit) {
    this.#init = init;
  }

  /** Whether one more line of this kind may be logged for the client; counts it either way. */
  take(kind: string, client: string): boolean {
    this.#cancel ??= this.#init.clock.after(WINDOW_MS, () => this.flush());
    const lines = this.#lines.get(kind) ?? this.#open(kind);
    return lines.take(client, {});
  }

  /** Reports how many lines were left out, and starts the next minute. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const left = [...this.#lines].map(([kind, lines]) => ({ kind, count: lines.figures().refused }))
      .filter(({ count }) => count > 0);
    this.#lines.clear();
    if (left.length === 0) return;
    const kinds = left.map(({ kind, count }) => `${kind} ${count}`).join(", ");
    this.#init.leftOut({ count: left.reduce((sum, { count }) => sum + count, 0), kinds });
  }

  #open(kind: string): SharedLimit<object> {
    const lines = new SharedLimit<object>({ total: this.#init.limit, whenFull: "reserve" });
    this.#lines.set(kind, lines);
    return lines;
  }
}
