import type { Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import { type LimitFigures, SharedLimit } from "../../shared/limits/shared_limit.ts";
import { acceptLink } from "../../shared/mux/session/accept_link.ts";
import { Session } from "../../shared/mux/session/session.ts";
import type { SessionTotals } from "../../shared/mux/session/session_figures.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { ClosingConnections } from "./closing_connections.ts";
import { AgentLog } from "./agent_log.ts";
import { AgentNotices } from "./agent_notices.ts";
import { AgentConnection, type AgentHello, AgentSession } from "./agent_session.ts";
import { AgentSessions } from "./agent_sessions.ts";
import { hasMost, noRoom, shutDown, tooManyWait } from "./registry_errors.ts";
import type { SessionListener, SessionRegistryInit } from "./session_registry_init.ts";

/**
 * The sessions of all agents that were accepted.
 *
 * A single certificate may use all connections. Once they are all in use, the certificate with the most of them loses
 * one to a certificate with clearly fewer: the one that matters least (`AgentCounter.costOf`), then the oldest.
 */
export class SessionRegistry {
  readonly #init: SessionRegistryInit;
  readonly #log: AgentLog;
  readonly #clock: Clock;
  readonly #sessions = new AgentSessions();
  readonly #connections = new Set<AgentConnection>();
  readonly #limit: SharedLimit<AgentConnection>;
  /** Sessions that wait for a connection (SPEC.md 3.7). */
  readonly #waiting: SharedLimit<AgentSession>;
  readonly #closing: ClosingConnections;
  readonly #notices: AgentNotices;
  #listener: SessionListener | undefined;
  #isDraining = false;
  #lastAgents = "";
  #emptied: (() => void) | undefined;

  constructor(init: SessionRegistryInit) {
    this.#init = init;
    this.#log = new AgentLog(init.log);
    this.#clock = init.clock ?? systemClock;
    const { maxConnections: total = Infinity } = init;
    this.#limit = new SharedLimit({
      total,
      whenFull: "evict",
      cost: (connection) => this.#sessions.costOf(connection),
      evict: (connection) => this.#evict(connection, total),
    });
    const evict = (agent: AgentSession) => this.#evictWaiting(agent);
    // It costs nothing to give one up, so that a certificate with the most gives up its oldest for its next.
    this.#waiting = new SharedLimit({ total, whenFull: "evict", cost: () => 0, evict });
    const closed = () => this.#checkEmpty();
    this.#closing = new ClosingConnections({ clock: this.#clock, maxConnections: total, closed });
    this.#notices = new AgentNotices({
      clock: this.#clock,
      sessions: this.#sessions,
      status: () => ({ agents: this.agentCount, streams: this.streamCount }),
    });
  }

  /** Sets who handles streams; to be called once, before the first agent is accepted. */
  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  /** Connections of agents. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether {@linkcode drain} was called. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How connections are shared, for metrics. */
  figures(): { connections: LimitFigures; closing: LimitFigures; waiting: LimitFigures } {
    return {
      connections: this.#limit.figures(),
      closing: this.#closing.figures(),
      waiting: this.#waiting.figures(),
    };
  }

  /** Agent processes: sessions with the same id and certificate count once. */
  get agentCount(): number {
    return this.#sessions.agentCount;
  }

  /** Identity of the certificate that all agents share; undefined when there are several, or no agent. */
  get onlyClient(): string | undefined {
    return this.#sessions.onlyClient;
  }

  /** Open streams of all sessions. */
  get streamCount(): number {
    return this.#sessions.streamCount;
  }

  /** All sessions, and what they and earlier ones did since the server started. */
  get totals(): SessionTotals {
    return this.#sessions.totals;
  }

  /** Takes a connection of an agent whose certificate was accepted, or refuses it with the reason. */
  accept(transport: Transport, peer: Peer): void {
    const { session: options, maxConnections } = this.#init;
    const connection = new AgentConnection(peer, transport);
    const hasRoom = () => this.#limit.take(peer.identity, connection);
    const refusal = this.#init.refusalOf?.(peer) ?? (hasRoom() ? undefined : noRoom(maxConnections));
    if (refusal !== undefined) return this.#refuse(transport, peer, refusal);
    this.#connections.add(connection);
    connection.link = acceptLink({
      transport,
      clock: this.#clock,
      options,
      find: (key) => this.#join(connection, key),
      create: (key, { id = "", software }) => this.#create(connection, { key, agentId: id, software }),
      closed: (error) => this.#disconnected(connection, error),
    });
  }

  #join(connection: AgentConnection, key: string): Session | undefined {
    const agent = this.#sessions.find(connection.peer.identity, key);
    agent?.add(connection);
    return agent?.session;
  }

  #create(connection: AgentConnection, { key, agentId, software }: AgentHello): Session {
    const { budget, session: options } = this.#init;
    const log = this.#log;
    const { peer } = connection;
    const agent = new AgentSession(peer, { agentId, key });
    agent.add(connection);
    const session = agent.session = new Session({
      role: "listener",
      key,
      trace: this.#init.trace?.(key),
      clock: this.#clock,
      budget,
      client: peer.identity,
      options,
      events: {
        open: () => {
          log.connected(peer, { from: connection.transport.remotes?.join(" "), software });
          this.#agentsChanged();
          this.#notices.send(agent);
        },
        links: ({ open }, error) => this.#linksChanged(agent, open, error),
        stream: (stream) => this.#listener!.stream(stream, peer, agent.use()),
        closed: (error) => this.#ended(agent, error),
        consumerError: (error) => log.callbackFailed(peer, error),
      },
    });
    this.#sessions.add(agent);
    if (this.#isDraining) session.drain();
    return session;
  }

  /**
   * Ends the sessions of agents that are no longer accepted: their streams fail at once, their connections are cut
   * within a second. `refusalOf` says why an agent is no longer accepted, and returns undefined when it still is.
   */
  revalidate(refusalOf: (peer: Peer) => SallyportError | undefined): void {
    for (const agent of this.#sessions) {
      const error = refusalOf(agent.peer);
      if (error === undefined) continue;
      this.#log.cutOff(agent.peer, error);
      this.#end(agent, error);
    }
    for (const connection of this.#connections) {
      const error = connection.agent === undefined ? refusalOf(connection.peer) : undefined;
      if (error !== undefined) this.#refuseEarly(connection, error);
    }
  }

  /**
   * Accepts no new streams, and waits up to `timeout` milliseconds for open ones to end; streams of sessions without
   * a connection are not waited for.
   */
  async drain(timeout: number): Promise<void> {
    this.#isDraining = true;
    const close = ({ session }: AgentSession) => session!.close("going_away", "the server shut down");
    for (const agent of this.#sessions) {
      if (agent.session!.linkCounts.open > 0) agent.session!.drain();
      else close(agent);
    }
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    const cancel = this.#clock.after(timeout, () => {
      for (const agent of this.#sessions) close(agent);
      for (const { agent, link } of this.#connections) if (agent === undefined) link!.refuse(shutDown());
    });
    if (!this.#isEmpty) await emptied;
    cancel();
  }

  get #isEmpty(): boolean {
    return this.#sessions.size + this.#connections.size + this.#closing.count === 0;
  }

  /** Only a session that has no other connection ends. */
  #evict(connection: AgentConnection, max: number): void {
    const { agent, link, peer } = connection;
    const error = hasMost(max);
    if (agent !== undefined && agent.connections.size > 1) return link!.cut(error);
    this.#init.refusals.addClient("agent evicted", error, peer);
    this.#init.onRefused?.(error.code);
    if (agent === undefined) this.#refuseEarly(connection, error);
    else this.#end(agent, error);
  }

  /** Refuses a connection that has no session yet; its place is free at once. */
  #refuseEarly(connection: AgentConnection, error: SallyportError): void {
    this.#release(connection);
    this.#closing.add(connection.peer.identity, connection.transport);
    connection.link!.refuse(error);
  }

  #refuse(transport: Transport, peer: Peer, error: SallyportError): void {
    this.#init.refusals.addClient("agent refused", error, peer);
    this.#init.onRefused?.(error.code);
    this.#closing.refuse(peer.identity, transport, error);
  }

  #evictWaiting(agent: AgentSession): void {
    this.#init.refusals.addClient("agent evicted", tooManyWait(), agent.peer);
    this.#end(agent, tooManyWait());
  }

  /** Ends a session; the places of its connections are free at once, however long the agent takes to leave. */
  #end(agent: AgentSession, { code, message }: SallyportError): void {
    for (const connection of agent.connections) {
      if (this.#release(connection)) this.#closing.add(agent.peer.identity, connection.transport);
    }
    this.#forget(agent);
    agent.session!.close(code, message);
    this.#agentsChanged();
  }

  #forget(agent: AgentSession): void {
    this.#waiting.release(agent);
    this.#sessions.remove(agent);
  }

  #release(connection: AgentConnection): boolean {
    this.#limit.release(connection);
    return this.#connections.delete(connection);
  }

  #linksChanged(agent: AgentSession, count: number, error: SallyportError | undefined): void {
    const { peer } = agent;
    const { streamCount } = agent.session!;
    const hasWaited = this.#waiting.release(agent);
    if (count > 0 && hasWaited) {
      agent.resumptions++;
      this.#log.resumed(peer, streamCount);
    }
    if (count > 0) return;
    if (!hasWaited) this.#log.lost(peer, streamCount, error);
    this.#waiting.take(peer.identity, agent);
  }

  #disconnected(connection: AgentConnection, error: SallyportError): void {
    this.#release(connection);
    const { agent, peer, transport } = connection;
    agent?.connections.delete(connection);
    if (agent === undefined) this.#log.disconnected(peer, error);
    this.#closing.remove(transport);
    this.#checkEmpty();
  }

  #ended(agent: AgentSession, error: SallyportError | undefined): void {
    this.#forget(agent);
    this.#log.disconnected(agent.peer, error);
    this.#agentsChanged();
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#isDraining && this.#isEmpty) this.#emptied?.();
  }

  /** Notifies the listener at once, and the agents a little later. */
  #agentsChanged(): void {
    this.#notices.changed();
    const agents = `${this.agentCount} ${this.onlyClient}`;
    if (agents === this.#lastAgents) return;
    this.#lastAgents = agents;
    this.#listener?.agentsChanged?.();
  }
}
