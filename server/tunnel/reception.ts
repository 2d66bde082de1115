import type { Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import type { ErrorCode, SallyportError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/log.ts";
import type { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import { Session } from "../../shared/mux/session.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import { turnAway } from "../../shared/mux/turn_away.ts";
import type { Peer } from "../../shared/tls/peer.ts";

/** What makes a reception. */
export interface ReceptionInit {
  log: Logger;
  /** Memory of all streams beyond their first window. */
  budget: MemoryBudget;
  session: Partial<SessionOptions>;
  /** Connections at once; those beyond it are told so. @default {no limit} */
  maxConnections?: number;
  /** Somebody was told that there is no room. @default {nobody counts} */
  onRefused?(code: ErrorCode): void;
  /** An agent came or went. @default {nobody listens} */
  onAgentsChanged?(): void;
  /** An agent opened a stream; the room must `listen` and `resume`. */
  stream(stream: MuxStream, peer: Peer): void;
  /** @default the machine's clock */
  clock?: Clock;
}

/** Whose session it is. */
interface Guest {
  readonly peer: Peer;
  /** The id that the agent's `hello` gave, "" before it came. */
  readonly id: string;
}

/** The sessions of all agents that were let in. */
export class Reception {
  readonly #init: ReceptionInit;
  readonly #clock: Clock;
  readonly #sessions = new Map<Session, Guest>();
  #draining = false;
  /** How many agents there were, and whose, when that changed last. */
  #agents = "";
  #emptied: (() => void) | undefined;

  constructor(init: ReceptionInit) {
    this.#init = init;
    this.#clock = init.clock ?? systemClock;
  }

  /** Connections of agents. */
  get connectionCount(): number {
    return this.#sessions.size;
  }

  /** Agent processes: connections with the same id count once. */
  get agentCount(): number {
    const named = [...this.#sessions.values()].map(({ id }) => id).filter((id) => id !== "");
    return new Set(named).size + this.#sessions.size - named.length;
  }

  /** Fingerprint of the certificate of all agents; undefined when they have several, or there is none. */
  get onlyClient(): string | undefined {
    const clients = new Set([...this.#sessions.values()].map(({ peer }) => peer.fingerprint));
    return clients.size === 1 ? [...clients][0] : undefined;
  }

  /** Streams that are open, over all connections. */
  get streamCount(): number {
    let count = 0;
    for (const session of this.#sessions.keys()) count += session.streamCount;
    return count;
  }

  /** Begins a session with an agent whose certificate was accepted, or tells it that there is no room. */
  welcome(transport: Transport, peer: Peer): void {
    const { log, budget, session: options, maxConnections = Infinity } = this.#init;
    const who = { client: peer.commonName, serial: peer.serial };
    if (this.#sessions.size >= maxConnections) return this.#sendAway(transport, who, maxConnections);
    const session: Session = new Session({
      transport,
      role: "listener",
      clock: this.#clock,
      budget,
      options,
      events: {
        open: (hello) => {
          this.#sessions.set(session, { peer, id: hello.id ?? "" });
          log.info("agent connected", { ...who, software: hello.software });
          this.#tellStatus();
        },
        stream: (stream) => this.#init.stream(stream, peer),
        closed: (error) => this.#forget(session, who, error),
        fault: ({ message, cause }) => {
          const stack = cause instanceof Error ? cause.stack : undefined;
          log.error("a callback failed", { ...who, reason: message, stack });
        },
      },
    });
    this.#sessions.set(session, { peer, id: "" });
    if (this.#draining) session.drain();
  }

  /**
   * Ends the sessions of agents that may not stay: their streams fail at once, the connection is cut within a
   * second.
   *
   * @param judge Why an agent may not stay; undefined when it may.
   */
  expel(judge: (peer: Peer) => SallyportError | undefined): void {
    for (const [session, { peer }] of this.#sessions) {
      const error = judge(peer);
      if (error === undefined) continue;
      const { commonName: client, serial } = peer;
      this.#init.log.warn("agent cut off", { client, serial, reason: error.message, code: error.code });
      session.close(error.code, error.message);
    }
  }

  /** Takes no more streams, and waits for those that are open for at most `timeout` milliseconds. */
  async drain(timeout: number): Promise<void> {
    this.#draining = true;
    for (const session of this.#sessions.keys()) session.drain();
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    const cancel = this.#clock.after(timeout, () => {
      for (const session of this.#sessions.keys()) session.close("going_away", "the server stopped");
    });
    if (this.#sessions.size > 0) await emptied;
    cancel();
  }

  #sendAway(transport: Transport, who: object, max: number): void {
    const message = `Cannot let the agent in: all ${max} connections (max_connections) are taken`;
    this.#init.log.warn("agent refused", { ...who, code: "limit_reached", reason: message });
    this.#init.onRefused?.("limit_reached");
    turnAway({ transport, clock: this.#clock, code: "limit_reached", message });
  }

  #forget(session: Session, who: object, error: SallyportError | undefined): void {
    this.#sessions.delete(session);
    this.#init.log.info("agent disconnected", {
      ...who,
      reason: error?.message ?? "drained",
      code: error?.code,
    });
    if (this.#draining && this.#sessions.size === 0) this.#emptied?.();
    else this.#tellStatus();
  }

  /** Tells every agent how many there are, whenever that changes: the last one may switch the lights off. */
  #tellStatus(): void {
    const status = { agents: this.agentCount, streams: this.streamCount };
    for (const session of this.#sessions.keys()) {
      if (session.state === "open") session.sendStatus(status);
    }
    const agents = `${status.agents} ${this.onlyClient}`;
    if (agents === this.#agents) return;
    this.#agents = agents;
    this.#init.onAgentsChanged?.();
  }
}
