import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { LogFields, Logger } from "../../shared/log.ts";
import { addressBlock } from "../../shared/net/ip_address.ts";
import { certificateProblemOf } from "../../shared/pki/certificate_problem.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { LineLimit } from "./line_limit.ts";

/** Lines of one kind written per minute. */
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
 * a certificate cannot hide a revoked one. The kind is the problem of the certificate, or else the error's code; the
 * client is one address, or one accepted certificate.
 */
export class RefusalLog {
  readonly #log: Pick<Logger, "warn">;
  readonly #lines: LineLimit;

  constructor({ log, clock, limit = DEFAULT_LIMIT }: RefusalLogInit) {
    this.#log = log;
    this.#lines = new LineLimit({
      clock,
      limit,
      leftOut: ({ count: refusals, kinds }) =>
        log.warn("further refusals not logged one by one", { refusals, kinds }),
    });
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
    this.#lines.flush();
  }

  #add(kind: string, client: string, message: string, fields: LogFields): void {
    if (this.#lines.take(kind, client)) this.#log.warn(message, fields);
  }
}
