import { SessionCounter, type SessionTotals } from "../../shared/mux/session/session_figures.ts";
import { type AgentConnection, AgentCounter, type AgentSession } from "./agent_session.ts";

/** The sessions of all agents. */
export class AgentSessions implements Iterable<AgentSession> {
  readonly #sessions = new Set<AgentSession>();
  readonly #agents = new AgentCounter();
  readonly #counter = new SessionCounter();

  [Symbol.iterator](): Iterator<AgentSession> {
    return this.#sessions.values();
  }

  /** How many there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Agent processes: sessions with the same id and certificate count once. */
  get agentCount(): number {
    return this.#agents.count;
  }

  /** Identity of the certificate that all agents share; undefined when there are several, or no agent. */
  get onlyClient(): string | undefined {
    const [first, ...others] = new Set([...this.#sessions].map(({ peer }) => peer.identity));
    return others.length === 0 ? first : undefined;
  }

  /** Open streams. */
  get streamCount(): number {
    let count = 0;
    for (const { session } of this.#sessions) count += session!.streamCount;
    return count;
  }

  /** All of them, and what they and earlier ones did since the server started. */
  get totals(): SessionTotals {
    return this.#counter.totals([...this.#sessions].map(({ session }) => session!.figures));
  }

  /** Adds a session that an agent began. */
  add(agent: AgentSession): void {
    this.#sessions.add(agent);
    this.#agents.add(agent);
  }

  /** Removes one that is over; what it did still counts. */
  remove(agent: AgentSession): void {
    if (!this.#sessions.delete(agent)) return;
    this.#agents.remove(agent);
    this.#counter.ended(agent.session!.figures);
  }

  /** The open session with this id, of an agent with this certificate. */
  find(identity: string, key: string): AgentSession | undefined {
    const agent = [...this.#sessions].find((each) => each.matches(identity, key));
    return agent?.session?.state === "closed" ? undefined : agent;
  }

  /** What it costs an agent to lose a connection, as `SharedLimit` compares it. */
  costOf(connection: AgentConnection): number {
    return this.#agents.costOf(connection);
  }
}
