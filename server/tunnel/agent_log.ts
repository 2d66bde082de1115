import type { Clock } from "../../shared/clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { callbackFields, type LogFields, type Logger } from "../../shared/log.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { LineLimit } from "./line_limit.ts";

/** Lines per minute of each kind that an agent can cause without a new session. */
const LIMIT = 20;

/** Logs what happens to the sessions of agents. */
export class AgentLog {
  readonly #log: Logger;
  readonly #lines: LineLimit;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#lines = new LineLimit({
      clock,
      limit: LIMIT,
      leftOut: ({ count: lines, kinds }) =>
        log.info("further events of agents not logged one by one", { lines, kinds }),
    });
  }

  /** A session is open. */
  connected(peer: Peer, { from, software }: { from: string; software: string }): void {
    this.#log.info("agent connected", { ...clientFields(peer), from, software });
  }

  /** A session has no connection, and waits for one. */
  lost(peer: Peer, streams: number, error: SallyportError | undefined): void {
    this.#limited("agent lost its connection", peer, { streams, error: error?.message });
  }

  /** A session has a connection again. */
  resumed(peer: Peer, streams: number): void {
    this.#limited("agent resumed", peer, { streams });
  }

  /** A connection is over that belonged to no session. */
  unused(peer: Peer, { code, message }: SallyportError): void {
    this.#limited("agent disconnected", peer, { code, error: message });
  }

  /** A session is over; `error` is undefined after a drain. */
  disconnected(peer: Peer, error: SallyportError | undefined): void {
    const why = error === undefined ? { reason: "drained" } : { code: error.code, error: error.message };
    this.#log.info("agent disconnected", { ...clientFields(peer), ...why });
  }

  /** An agent is no longer accepted. */
  cutOff(peer: Peer, { code, message }: SallyportError): void {
    this.#log.warn("agent cut off", { ...clientFields(peer), code, error: message });
  }

  /** A callback of a stream or of the session threw. */
  callbackFailed(peer: Peer, error: SallyportError): void {
    this.#log.error("callback failed", { ...clientFields(peer), ...callbackFields(error) });
  }

  /** Logs how many lines were left out, and starts the next minute. */
  flush(): void {
    this.#lines.flush();
  }

  #limited(message: string, peer: Peer, fields: LogFields): void {
    if (this.#lines.take(message, peer.identity)) {
      this.#log.info(message, { ...clientFields(peer), ...fields });
    }
  }
}

function clientFields({ commonName: client, serial }: Peer): { client: string; serial: string } {
  return { client, serial };
}
