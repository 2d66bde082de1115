import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import type { Link } from "../../shared/mux/link/link.ts";
import type { Session } from "../../shared/mux/session/session.ts";
import type { Transport } from "../../shared/mux/transport.ts";
import type { Peer } from "../../shared/pki/peer_verification.ts";

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
}

/** What an agent says in the `hello` that begins a session. */
export interface AgentHello {
  /** The id from the agent's `hello`, which identifies its process; "" when it has none. */
  readonly agentId: string;
  /** The session's own id, a secret (SPEC.md 3.6). */
  readonly key: string;
  readonly software: string;
}

/** What a stream has used of its session since it began; it changes while the stream is open. */
export interface SessionUse {
  /** Addresses and ports of the agent's connections since then; of more than 100 the latest. */
  readonly from: readonly string[];
  /** How often the session lost all connections and continued since then. */
  readonly resumptions: number;
}

/** Addresses that one {@linkcode SessionUse} lists. */
const MAX_ADDRESSES = 100;

/** An address that a connection came from, and the one after it: a stream keeps those from its beginning on. */
interface Arrival {
  readonly address: string;
  next?: Arrival;
}

/** A session of an agent, with its connections. */
export class AgentSession {
  readonly peer: Peer;
  readonly agentId: string;
  /** Missing only until it is made. */
  session?: Session;
  readonly connections = new Set<AgentConnection>();
  /** How often it continued after it had no connection. */
  resumptions = 0;
  /** The number of agents in the last status message to this agent. */
  reportedAgents: number | undefined;
  readonly #key: Buffer;
  #latest: Arrival = { address: "" };

  constructor(peer: Peer, { agentId, key }: Pick<AgentHello, "agentId" | "key">) {
    this.peer = peer;
    this.agentId = agentId;
    this.#key = Buffer.from(key);
  }

  /** Whether it is the session with this id, for an agent with this certificate; compares in constant time. */
  matches(identity: string, key: string): boolean {
    const given = Buffer.from(key);
    return this.peer.identity === identity && given.byteLength === this.#key.byteLength &&
      timingSafeEqual(given, this.#key);
  }

  /** Adds a connection whose `hello` names this session. */
  add(connection: AgentConnection): void {
    connection.agent = this;
    this.connections.add(connection);
    for (const address of addressesOf(connection)) this.#latest = this.#latest.next = { address };
  }

  /** What is used of it from now on. */
  use(): SessionUse {
    const open = [...this.connections].flatMap(addressesOf);
    const before = this.#latest;
    const resumptionsBefore = this.resumptions;
    const resumptions = () => this.resumptions - resumptionsBefore;
    return {
      get from() {
        const addresses = new Set(open);
        for (let arrival = before.next; arrival !== undefined; arrival = arrival.next) {
          addresses.add(arrival.address);
        }
        return [...addresses].slice(-MAX_ADDRESSES);
      },
      get resumptions() {
        return resumptions();
      },
    };
  }
}

function addressesOf({ transport }: AgentConnection): readonly string[] {
  return transport.remotes ?? [];
}

/**
 * Counts agent processes by their sessions. Sessions with the same id and certificate are one agent; the certificate
 * matters, since any client may claim any id. Each session without an id is an agent of its own.
 */
export class AgentCounter {
  /** Sessions by agent. */
  readonly #sessions = new Map<string, number>();
  #unnamed = 0;

  /** Agents that have a session. */
  get count(): number {
    return this.#sessions.size + this.#unnamed;
  }

  /** Counts a session. */
  add(session: AgentSession): void {
    if (session.agentId === "") this.#unnamed++;
    else this.#sessions.set(keyOf(session), this.#sessionsOf(session) + 1);
  }

  /** A counted session is gone. */
  remove(session: AgentSession): void {
    if (session.agentId === "") return void this.#unnamed--;
    const left = this.#sessionsOf(session) - 1;
    if (left > 0) this.#sessions.set(keyOf(session), left);
    else this.#sessions.delete(keyOf(session));
  }

  /** What it costs an agent to lose a connection, as `SharedLimit` compares it. */
  costOf({ agent }: AgentConnection): number {
    // Before the `hello` nothing depends on it.
    if (agent === undefined) return 1;
    const { state, streamCount } = agent.session!;
    if (state === "closed") return 0;
    if (agent.connections.size > 1) return 1;
    const isOnly = agent.agentId === "" || this.#sessionsOf(agent) === 1;
    return 1 + (streamCount > 0 ? 2 : 0) + (isOnly ? 1 : 0);
  }

  #sessionsOf(session: AgentSession): number {
    return this.#sessions.get(keyOf(session)) ?? 0;
  }
}

/** Names an agent process. The certificate is part of it: any client may claim any id. */
function keyOf({ peer, agentId }: AgentSession): string {
  return `${peer.identity} ${agentId}`;
}
