import type { SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";

/** Logs what happens to the sessions of agents. */
export class AgentLog {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** A session is open. */
  connected(peer: Peer, { from, software }: { from: string | undefined; software: string }): void {
    this.#log.info("agent connected", { ...clientFields(peer), from, software });
  }

  /** A session has no connection, and waits for one. */
  lost(peer: Peer, streams: number, error: SallyportError | undefined): void {
    this.#log.info("agent lost its connection", { ...clientFields(peer), streams, error: error?.message });
  }

  /** A session has a connection again. */
  resumed(peer: Peer, streams: number): void {
    this.#log.info("agent resumed", { ...clientFields(peer), streams });
  }

  /** A session, or a connection without one, is over; `error` is undefined after a drain. */
  disconnected(peer: Peer, error: SallyportError | undefined): void {
    const why = error === undefined ? { reason: "drained" } : { code: error.code, error: error.message };
    this.#log.info("agent disconnected", { ...clientFields(peer), ...why });
  }

  /** An agent is no longer accepted. */
  cutOff(peer: Peer, { code, message }: SallyportError): void {
    this.#log.warn("agent cut off", { ...clientFields(peer), code, error: message });
  }

  /** A callback of a stream or of the session threw. */
  callbackFailed(peer: Peer, { message, cause }: SallyportError): void {
    const stack = cause instanceof Error ? cause.stack : undefined;
    this.#log.error("callback failed", { ...clientFields(peer), error: message, stack });
  }
}

function clientFields({ commonName: client, serial }: Peer): { client: string; serial: string } {
  return { client, serial };
}
