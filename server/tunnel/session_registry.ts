import type { Clock } from "../../shared/clock.ts";
import { systemClock } from "../../shared/system_clock.ts";
import type { SallyportError } from "../../shared/errors.ts";
import type { LimitFigures } from "../../shared/limits/shared_limit.ts";
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
import { LinkAdmission } from "./link_admission.ts";
import { PendingConnections } from "./pending_connections.ts";
import { shutDown, tooManyPending, tooManyWait } from "./registry_errors.ts";
import type { SessionListener, SessionRegistryInit } from "./session_registry_init.ts";
import { WaitingSessions } from "./waiting_sessions.ts";

/**
 * The sessions of all agents that were accepted, and their connections: those whose `hello` is awaited, those that are
 * links, and those that close after they were told why. Sessions without a link wait. Each of these is limited.
 */
export class SessionRegistry {
  readonly #init: SessionRegistryInit;
  readonly #log: AgentLog;
  readonly #clock: Clock;
  readonly #sessions = new AgentSessions();
  readonly #pending: PendingConnections;
  readonly #links: LinkAdmission;
  readonly #waiting: WaitingSessions;
  readonly #closing: ClosingConnections;
  readonly #notices: AgentNotices;
  #listener: SessionListener | undefined;
  #isDraining = false;
  #lastAgents = "";
  #emptied: (() => void) | undefined;

  constructor(init: SessionRegistryInit) {
    this.#init = init;
    const clock = this.#clock = init.clock ?? systemClock;
    const { maxConnections = Infinity } = init;
    const log = this.#log = new AgentLog(init.log, clock);
    this.#pending = new PendingConnections({
      maxConnections,
      evict: (connection) => this.#refuse(connection, tooManyPending()),
    });
    this.#links = new LinkAdmission({
      total: maxConnections,
      costOf: (agent) => this.#costOf(agent),
      evict: (agent, error) => this.#evict(agent, error),
    });
    this.#waiting = new WaitingSessions({
      total: maxConnections,
      log,
      giveUp: (agent) => this.#evict(agent, tooManyWait()),
      resumed: (agent) => this.#notices.notify(agent),
    });
    this.#closing = new ClosingConnections({ clock, maxConnections, closed: () => this.#checkEmpty() });
    this.#notices = new AgentNotices({
      clock,
      sessions: this.#sessions,
      status: () => ({ agents: this.agentCount, streams: this.streamCount }),
    });
  }

  /** Sets who handles streams; to be called once, before the first agent is accepted. */
  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  /** Connections of agents: links, and connections whose `hello` is awaited. */
  get connectionCount(): number {
    return this.#links.count + this.#pending.count;
  }

  /** Whether {@linkcode drain} was called. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How connections and waiting sessions are shared, for metrics. */
  figures(): Record<"connections" | "pending" | "closing" | "waiting", LimitFigures> {
    return {
      connections: this.#links.figures(),
      pending: this.#pending.figures(),
      closing: this.#closing.figures(),
      waiting: this.#waiting.figures(),
    };
  }

  /** Agent processes: sessions with the same agent id and certificate count once. */
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
    const refusal = this.#init.refusalOf?.(peer);
    if (refusal !== undefined) {
      this.#refused("agent refused", peer, refusal);
      return this.#closing.refuse(peer.identity, transport, refusal);
    }
    const connection = new AgentConnection(peer, transport);
    connection.link = acceptLink({
      transport,
      clock: this.#clock,
      options: this.#init.session,
      find: (key) => this.#sessions.find(peer.identity, key)?.session,
      create: (key, { id = "", software }) => this.#create(connection, { key, agentId: id, software }),
      join: (key) => this.#admit(connection, this.#sessions.find(peer.identity, key)!),
      closed: (error) => this.#disconnected(connection, error),
    });
    this.#pending.add(connection);
  }

  #create(connection: AgentConnection, { key, agentId, software }: AgentHello): Session {
    const { budget, session: options } = this.#init;
    const log = this.#log;
    const { peer } = connection;
    const agent = new AgentSession(peer, { agentId, key });
    this.#admit(connection, agent);
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
          log.connected(peer, { from: connection.remotes.join(" "), software });
          this.#agentsChanged();
          this.#notices.notify(agent);
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

  /** Makes a connection a link of the session; throws why there is no place for it. */
  #admit(connection: AgentConnection, agent: AgentSession): void {
    const refusal = this.#links.admit(agent, connection);
    if (refusal === undefined) return void this.#pending.remove(connection);
    this.#refused("agent refused", connection.peer, refusal);
    this.#toClosing(connection);
    throw refusal;
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
    for (const connection of this.#pending) {
      const error = refusalOf(connection.peer);
      if (error === undefined) continue;
      this.#toClosing(connection);
      connection.link!.refuse(error);
    }
  }

  /**
   * Accepts no new streams, and waits up to `timeout` milliseconds for open ones to end; streams of sessions without
   * a connection, or that lose the last one, are not waited for.
   */
  async drain(timeout: number): Promise<void> {
    this.#isDraining = true;
    for (const agent of this.#sessions) {
      if (agent.session!.linkCounts.open > 0) agent.session!.drain();
      else closeSession(agent);
    }
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    const cancel = this.#clock.after(timeout, () => {
      for (const agent of this.#sessions) closeSession(agent);
      for (const { link } of this.#pending) link!.refuse(shutDown());
    });
    if (!this.#isEmpty) await emptied;
    cancel();
    this.#log.flush();
  }

  get #isEmpty(): boolean {
    return this.#sessions.size + this.connectionCount + this.#closing.count === 0;
  }

  /** What it costs an agent to lose a session: streams, and being connected at all. */
  #costOf(agent: AgentSession): number {
    return (agent.session!.streamCount > 0 ? 2 : 0) + (this.#sessions.isOnlyOne(agent) ? 1 : 0);
  }

  #refused(event: "agent refused" | "agent evicted", peer: Peer, error: SallyportError): void {
    this.#init.refusals.addClient(event, error, peer);
    this.#init.onRefused?.(error.code);
  }

  /** Refuses a connection whose `hello` is awaited; it is not pending any more. */
  #refuse(connection: AgentConnection, error: SallyportError): void {
    this.#refused("agent refused", connection.peer, error);
    this.#toClosing(connection);
    connection.link!.refuse(error);
  }

  /** The place of the connection is free at once, however long the agent takes to leave. */
  #toClosing(connection: AgentConnection): void {
    this.#pending.remove(connection);
    this.#links.release(connection);
    this.#closing.add(connection.peer.identity, connection.transport);
  }

  #evict(agent: AgentSession, error: SallyportError): void {
    this.#refused("agent evicted", agent.peer, error);
    this.#end(agent, error);
  }

  #end(agent: AgentSession, { code, message }: SallyportError): void {
    for (const connection of agent.connections) this.#toClosing(connection);
    this.#forget(agent);
    agent.session!.close(code, message);
    this.#agentsChanged();
  }

  #forget(agent: AgentSession): void {
    this.#waiting.remove(agent);
    this.#sessions.remove(agent);
  }

  #linksChanged(agent: AgentSession, count: number, error: SallyportError | undefined): void {
    // The port is closed already: no connection can come back.
    if (count === 0 && this.#isDraining) closeSession(agent);
    else this.#waiting.linksChanged(agent, count, error);
  }

  #disconnected(connection: AgentConnection, error: SallyportError): void {
    if (this.#pending.remove(connection)) this.#log.unused(connection.peer, error);
    this.#links.release(connection);
    this.#closing.remove(connection.transport);
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

function closeSession({ session }: AgentSession): void {
  session!.close("going_away", "the server shut down");
}
