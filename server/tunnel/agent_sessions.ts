import { createHash } from "node:crypto";
import { SessionCounter, type SessionTotals } from "../../shared/mux/session/session_figures.ts";
import type { AgentSession } from "./agent_session.ts";

/**
 * The sessions of all agents. Sessions with the same agent id and certificate are one agent; the certificate matters,
 * since any client may claim any id. Each session without an id is an agent of its own.
 */
export class AgentSessions implements Iterable<AgentSession> {
  readonly #sessions = new Set<AgentSession>();
  /** By digest: how long a lookup takes reveals nothing about the ids of sessions, which are secret (SPEC.md 3.6). */
  readonly #byDigest = new Map<string, AgentSession>();
  /** How many sessions each agent with an id has. */
  readonly #agents = new Map<string, number>();
  /** How many sessions each certificate has. */
  readonly #clients = new Map<string, number>();
  readonly #counter = new SessionCounter();
  #unnamed = 0;

  /** How many sessions there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Agents that have a session. */
  get agentCount(): number {
    return this.#agents.size + this.#unnamed;
  }

  /** Identity of the certificate that all agents share; undefined when there are several, or no agent. */
  get onlyClient(): string | undefined {
    return this.#clients.size === 1 ? this.#clients.keys().next().value : undefined;
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

  [Symbol.iterator](): IterableIterator<AgentSession> {
    return this.#sessions.values();
  }

  /** The session of this certificate with this id, unless it is over. */
  find(identity: string, key: string): AgentSession | undefined {
    const found = this.#byDigest.get(digestOf(identity, key));
    return found?.session?.state === "closed" ? undefined : found;
  }

  /** Whether the agent has no session but this one. */
  isOnlyOne(session: AgentSession): boolean {
    return session.agentId === "" || this.#agents.get(agentKey(session)) === 1;
  }

  /** Adds a session. */
  add(session: AgentSession): void {
    const { identity } = session.peer;
    this.#sessions.add(session);
    this.#byDigest.set(digestOf(identity, session.key), session);
    count(this.#clients, identity, 1);
    if (session.agentId === "") this.#unnamed++;
    else count(this.#agents, agentKey(session), 1);
  }

  /** Removes a session that is over; what it did still counts. Does nothing if it is not there any more. */
  remove(session: AgentSession): void {
    if (!this.#sessions.delete(session)) return;
    this.#counter.ended(session.session!.figures);
    const { identity } = session.peer;
    const digest = digestOf(identity, session.key);
    // Its id may have been used again since it was over.
    if (this.#byDigest.get(digest) === session) this.#byDigest.delete(digest);
    count(this.#clients, identity, -1);
    if (session.agentId === "") this.#unnamed--;
    else count(this.#agents, agentKey(session), -1);
  }
}

function count(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const left = (counts.get(key) ?? 0) + change;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

function digestOf(identity: string, key: string): string {
  return createHash("sha256").update(`${identity} ${key}`).digest("base64");
}

/** Names an agent process. */
function agentKey({ peer, agentId }: AgentSession): string {
  return `${peer.identity} ${agentId}`;
}
