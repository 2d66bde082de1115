import type { Link } from "../../shared/mux/link/link.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";
import { SessionHistory, type SessionUse } from "./session_use.ts";

/** A connection of an agent: a link of a session, once its `hello` arrived. */
export class AgentConnection {
  readonly peer: Peer;
  readonly transport: Transport;
  /** Missing only until it is made. */
  link?: Link;
  /** Missing until the agent's `hello` arrived. */
  agent?: AgentSession;

  constructor(peer: Peer, transport: Transport) {
    this.peer = peer;
    this.transport = transport;
  }

  /** Where it comes from, with ports. */
  get remotes(): readonly string[] {
    return this.transport.remotes ?? [];
  }
}

/** What an agent says in the `hello` that begins a session. */
export interface AgentHello {
  /** The id from the agent's `hello`, which identifies its process; "" when it has none. */
  readonly agentId: string;
  /** The session's own id, a secret (SPEC.md 3.6). */
  readonly key: string;
  readonly software: string;
}

/** A session of an agent, with its connections. */
export class AgentSession {
  readonly peer: Peer;
  readonly agentId: string;
  /** The session's own id, a secret (SPEC.md 3.6). */
  readonly key: string;
  /** Missing only until it is made. */
  session?: Session;
  /** Those that have a place among all connections, the oldest first. */
  readonly connections = new Set<AgentConnection>();
  /** The number of agents in the last status message to this agent. */
  reportedAgents: number | undefined;
  readonly #history = new SessionHistory(() => this.session!.figures.resumptions);

  constructor(peer: Peer, { agentId, key }: Pick<AgentHello, "agentId" | "key">) {
    this.peer = peer;
    this.agentId = agentId;
    this.key = key;
  }

  /** Whether messages can be sent to the agent now. */
  get isReachable(): boolean {
    return this.session!.state === "open" && this.session!.linkCounts.open > 0;
  }

  /** Adds a connection whose `hello` names this session. */
  add(connection: AgentConnection): void {
    connection.agent = this;
    this.connections.add(connection);
    this.#history.arrived(connection.remotes);
  }

  /** What is used of it from now on. */
  use(): SessionUse {
    return this.#history.use([...this.connections].flatMap(({ remotes }) => remotes));
  }
}
