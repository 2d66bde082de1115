import type { CancelTimer, Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { type ErrorCode, SallyportError } from "../../shared/errors.ts";
import { type LimitFigures, SharedLimit } from "../../shared/limits/shared_limit.ts";
import type { Logger } from "../../shared/log.ts";
import type { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import { Session } from "../../shared/mux/session.ts";
import type { MuxStream } from "../../shared/mux/stream.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import { turnAway } from "../../shared/mux/turn_away.ts";
import type { Peer } from "../../shared/tls/peer.ts";

/** Connections at least that may be closing, or be told that there is no room, at the same time. */
const MIN_CLOSING = 32;
/** Milliseconds for which changes are gathered before the other agents are told: telling all for each is quadratic. */
const GATHER_STATUS = 100;

/** What makes a reception. */
export interface ReceptionInit {
  log: Logger;
  /** Memory of all streams beyond their first window. */
  budget: MemoryBudget;
  session: Partial<SessionOptions>;
  /** Connections at once, shared by certificates; those that get no room are told so. @default {no limit} */
  maxConnections?: number;
  /** Why an agent whose certificate is good is not served all the same; it is told. @default {all are served} */
  refusalOf?(peer: Peer): SallyportError | undefined;
  /** An agent was refused, or had to give its room to another. @default {not counted} */
  onRefused?(code: ErrorCode): void;
  /** An agent came or went. @default {none} */
  onAgentsChanged?(): void;
  /**
   * An agent opened a stream; the room must `listen` and `resume`. `from` is where the agent's connection comes
   * from: addresses with ports.
   */
  stream(stream: MuxStream, peer: Peer, from: readonly string[]): void;
  /** @default the machine's clock */
  clock?: Clock;
}

/** A connection of an agent. */
interface Guest {
  readonly peer: Peer;
  readonly transport: Transport;
  /** The id that the agent's `hello` gave, "" before it came. */
  id: string;
  /** Missing only until it is made. */
  session?: Session;
  /** The number of agents that it was told last. */
  told?: number;
}

/**
 * The sessions of all agents that were let in.
 *
 * A certificate alone may have all connections. When they are all taken, the one that has the most gives way to one
 * that has clearly fewer. It loses the connection that it misses least: one without streams before one with streams,
 * and among those one of an agent with several before the only one of an agent; the oldest of the rest.
 */
export class Reception {
  readonly #init: ReceptionInit;
  readonly #clock: Clock;
  readonly #guests = new Set<Guest>();
  readonly #limit: SharedLimit<Guest>;
  /** Connections that are told why they end; they take no room from those that stay. */
  readonly #closing: SharedLimit<Transport>;
  /** Connections by the agent that they belong to. */
  readonly #agents = new Map<string, number>();
  #draining = false;
  /** How many agents there were, and whose, when that changed last. */
  #lastAgents = "";
  /** Set while changes are gathered. */
  #cancelStatus: CancelTimer | undefined;
  #emptied: (() => void) | undefined;

  constructor(init: ReceptionInit) {
    this.#init = init;
    this.#clock = init.clock ?? systemClock;
    const { maxConnections: total = Infinity } = init;
    this.#limit = new SharedLimit({
      total,
      whenFull: "evict",
      cost: (guest) => this.#costOf(guest),
      evict: (guest) => this.#giveWay(guest, total),
    });
    this.#closing = new SharedLimit({
      total: Math.max(MIN_CLOSING, total),
      whenFull: "evict",
      cost: () => 0,
      evict: (transport) => transport.abort(),
    });
  }

  /** Connections of agents. */
  get connectionCount(): number {
    return this.#guests.size;
  }

  /** How connections are shared, for metrics. */
  figures(): { connections: LimitFigures; closing: LimitFigures } {
    return { connections: this.#limit.figures(), closing: this.#closing.figures() };
  }

  /** Agent processes: connections with the same id and certificate count once. */
  get agentCount(): number {
    let named = 0;
    for (const connections of this.#agents.values()) named += connections;
    return this.#agents.size + this.#guests.size - named;
  }

  /** Fingerprint of the certificate of all agents; undefined when they have several, or there is none. */
  get onlyClient(): string | undefined {
    const [first] = this.#guests;
    if (first === undefined) return undefined;
    const { fingerprint } = first.peer;
    return this.#limit.countOf(fingerprint) === this.#guests.size ? fingerprint : undefined;
  }

  /** Streams that are open, over all connections. */
  get streamCount(): number {
    let count = 0;
    for (const { session } of this.#guests) count += session!.streamCount;
    return count;
  }

  /** Begins a session with an agent whose certificate was accepted, or tells it why not. */
  welcome(transport: Transport, peer: Peer): void {
    const { log, budget, session: options, maxConnections } = this.#init;
    const who = whoIs(peer);
    const from = transport.remotes ?? [];
    const guest: Guest = { peer, transport, id: "" };
    const refusal = this.#init.refusalOf?.(peer);
    if (refusal !== undefined) return this.#sendAway(guest, refusal);
    if (!this.#limit.take(peer.fingerprint, guest)) return this.#sendAway(guest, noRoom(maxConnections));
    const session = guest.session = new Session({
      transport,
      role: "listener",
      clock: this.#clock,
      budget,
      client: peer.fingerprint,
      options,
      events: {
        open: (hello) => {
          this.#name(guest, hello.id ?? "");
          log.info("agent connected", {
            ...who,
            from: from.join(" ") || undefined,
            software: hello.software,
          });
          this.#agentsChanged();
          this.#tellStatus(guest);
        },
        stream: (stream) => this.#init.stream(stream, peer, from),
        closed: (error) => this.#forget(guest, error),
        fault: ({ message, cause }) => {
          const stack = cause instanceof Error ? cause.stack : undefined;
          log.error("a callback failed", { ...who, reason: message, stack });
        },
      },
    });
    this.#guests.add(guest);
    if (this.#draining) session.drain();
  }

  /**
   * Ends the sessions of agents that may not stay: their streams fail at once, the connection is cut within a
   * second.
   *
   * @param judge Why an agent may not stay; undefined when it may.
   */
  expel(judge: (peer: Peer) => SallyportError | undefined): void {
    for (const guest of this.#guests) {
      const error = judge(guest.peer);
      if (error === undefined) continue;
      const { message: reason, code } = error;
      this.#init.log.warn("agent cut off", { ...whoIs(guest.peer), reason, code });
      this.#dismiss(guest, error);
    }
  }

  /** Takes no more streams, and waits for those that are open for at most `timeout` milliseconds. */
  async drain(timeout: number): Promise<void> {
    this.#draining = true;
    for (const { session } of this.#guests) session!.drain();
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    const cancel = this.#clock.after(timeout, () => {
      for (const { session } of this.#guests) session!.close("going_away", "the server stopped");
    });
    if (!this.#isEmpty) await emptied;
    cancel();
  }

  get #isEmpty(): boolean {
    return this.#guests.size + this.#closing.count === 0;
  }

  #name(guest: Guest, id: string): void {
    guest.id = id;
    if (id === "") return;
    const agent = agentOf(guest);
    this.#agents.set(agent, (this.#agents.get(agent) ?? 0) + 1);
  }

  /** What it costs an agent to lose a connection. */
  #costOf(guest: Guest): number {
    const { session } = guest;
    if (session!.state === "closed") return 0;
    // Before the `hello` nothing depends on it.
    const isOnlyOne = session!.state !== "greeting" && (this.#agents.get(agentOf(guest)) ?? 1) === 1;
    return 1 + (session!.streamCount > 0 ? 2 : 0) + (isOnlyOne ? 1 : 0);
  }

  #giveWay(guest: Guest, max: number): void {
    const why = `all ${max} connections (max_connections) are taken, and its certificate has the most`;
    const error = new SallyportError("limit_reached", `Cannot keep the connection: ${why}`);
    const { message: reason, code } = error;
    this.#init.log.warn("agent gave way to another", { ...whoIs(guest.peer), code, reason });
    this.#init.onRefused?.(code);
    this.#dismiss(guest, error);
  }

  #sendAway({ transport, peer }: Guest, { code, message }: SallyportError): void {
    this.#init.log.warn("agent refused", { ...whoIs(peer), code, reason: message });
    this.#init.onRefused?.(code);
    this.#closing.take(peer.fingerprint, transport);
    const closed = () => this.#closed(transport);
    turnAway({ transport, clock: this.#clock, code, message, closed });
  }

  /** Ends a session; its room is free at once, however long the agent takes to leave. */
  #dismiss(guest: Guest, { code, message }: SallyportError): void {
    this.#remove(guest);
    this.#closing.take(guest.peer.fingerprint, guest.transport);
    guest.session!.close(code, message);
    this.#agentsChanged();
  }

  #remove(guest: Guest): void {
    if (!this.#guests.delete(guest)) return;
    this.#limit.release(guest);
    const agent = agentOf(guest);
    const left = (this.#agents.get(agent) ?? 0) - 1;
    if (left > 0) this.#agents.set(agent, left);
    else this.#agents.delete(agent);
    if (this.#guests.size > 0) return;
    this.#cancelStatus?.();
    this.#cancelStatus = undefined;
  }

  #forget(guest: Guest, error: SallyportError | undefined): void {
    this.#remove(guest);
    this.#init.log.info("agent disconnected", {
      ...whoIs(guest.peer),
      reason: error?.message ?? "drained",
      code: error?.code,
    });
    this.#closed(guest.transport);
    this.#agentsChanged();
  }

  #closed(transport: Transport): void {
    this.#closing.release(transport);
    if (this.#draining && this.#isEmpty) this.#emptied?.();
  }

  /** An agent came or went. Whoever reports it hears at once; agents are told a little later. */
  #agentsChanged(): void {
    if (this.#guests.size > 0) this.#cancelStatus ??= this.#clock.after(GATHER_STATUS, () => this.#tellAll());
    const agents = `${this.agentCount} ${this.onlyClient}`;
    if (agents === this.#lastAgents) return;
    this.#lastAgents = agents;
    this.#init.onAgentsChanged?.();
  }

  /** Tells every agent how many there are, if that is news to it: the last one may switch the lights off. */
  #tellAll(): void {
    this.#cancelStatus = undefined;
    const { agentCount } = this;
    for (const guest of this.#guests) if (guest.told !== agentCount) this.#tellStatus(guest);
  }

  #tellStatus(guest: Guest): void {
    const { session } = guest;
    if (session!.state !== "open") return;
    guest.told = this.agentCount;
    session!.sendStatus({ agents: guest.told, streams: this.streamCount });
  }
}

function noRoom(max: number | undefined): SallyportError {
  const message = `Cannot let the agent in: all ${max} connections (max_connections) are taken`;
  return new SallyportError("limit_reached", message);
}

/** Names an agent process. The certificate is part of it: an id alone is what any client may claim. */
function agentOf({ peer, id }: Guest): string {
  return `${peer.fingerprint} ${id}`;
}

function whoIs({ commonName: client, serial }: Peer): { client: string; serial: string } {
  return { client, serial };
}
