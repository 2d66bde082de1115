import type { CancelTimer, Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { SharedLimit } from "../../shared/limits/shared_limit.ts";
import type { LogFields, Logger } from "../../shared/log.ts";
import { addressBlock } from "../../shared/net/ip_address.ts";
import { certificateProblemOf } from "../../shared/pki/certificate_problem.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";

/** Milliseconds after which the limits start afresh. */
const WINDOW_MS = 60_000;
/** Lines of one kind written per window. */
const DEFAULT_LIMIT = 20;

/** What makes a {@linkcode RefusalLog}. */
export interface RefusalLogInit {
  readonly log: Pick<Logger, "warn">;
  readonly clock: Clock;
  /** Lines per minute of each kind; the rest are counted, and logged as one line at the end of the minute. @default 20 */
  readonly limit?: number;
}

/** What can happen to an agent whose certificate was accepted. */
export type ClientEvent = "agent refused" | "agent evicted";

/**
 * Logs agents that were refused or evicted. A port on the internet is scanned all the time: a line for each connection
 * would let strangers fill the log, at the operator's cost. Each kind has its own limit, so that connections without
 * a certificate cannot hide a revoked one. Within a kind, one address, or one accepted certificate, gets at most as
 * many lines as it leaves to others.
 */
export class RefusalLog {
  readonly #init: RefusalLogInit;
  /**
   * Lines of this minute by kind: the problem of the certificate, or else the error's code. A line counts until the
   * minute is over.
   */
  readonly #lines = new Map<string, SharedLimit<object>>();
  #cancel: CancelTimer | undefined;

  constructor(init: RefusalLogInit) {
    this.#init = init;
  }

  /** A connection was refused before its certificate was accepted. */
  add(error: SallyportError, remote: string): void {
    const fields = { from: remote, code: error.code, error: error.message };
    this.#add(certificateProblemOf(error)?.kind ?? error.code, addressBlock(remote), "agent refused", fields);
  }

  /** An agent whose certificate was accepted was refused or evicted. */
  addClient(event: ClientEvent, error: SallyportError, peer: Peer): void {
    const { commonName: client, serial, identity } = peer;
    const kind = event === "agent refused" ? `client ${error.code}` : "evicted";
    this.#add(kind, identity, event, { client, serial, code: error.code, error: error.message });
  }

  /** Logs how many were counted but not logged, and starts the next minute. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const left = [...this.#lines].map(([kind, lines]) => ({ kind, count: lines.figures().refused }))
      .filter(({ count }) => count > 0);
    this.#lines.clear();
    if (left.length === 0) return;
    const kinds = left.map(({ kind, count }) => `${kind} ${count}`).join(", ");
    const refusals = left.reduce((sum, { count }) => sum + count, 0);
    this.#init.log.warn("further refusals not logged one by one", { refusals, kinds });
  }

  #add(kind: string, client: string, message: string, fields: LogFields): void {
    const { log, clock } = this.#init;
    this.#cancel ??= clock.after(WINDOW_MS, () => this.flush());
    const lines = this.#lines.get(kind) ?? this.#open(kind);
    if (lines.take(client, {})) log.warn(message, fields);
  }

  #open(kind: string): SharedLimit<object> {
    const lines = new SharedLimit<object>({ total: this.#init.limit ?? DEFAULT_LIMIT, whenFull: "reserve" });
    this.#lines.set(kind, lines);
    return lines;
  }
}
