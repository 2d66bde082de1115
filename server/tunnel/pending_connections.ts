import { type LimitFigures, SharedLimit } from "../../shared/limits/shared_limit.ts";
import type { AgentConnection } from "./agent_session.ts";

/** Lower bound of the connections that may be without a `hello` at the same time. */
const MIN_PENDING = 32;

/** What makes {@linkcode PendingConnections}. */
interface PendingConnectionsInit {
  /** Links that may be open at once. */
  readonly maxConnections: number;
  /** Refuses one: too many are pending. */
  evict(connection: AgentConnection): void;
}

/**
 * Connections of accepted certificates whose `hello` is awaited. They have no place among the links yet. When too many
 * are pending, the certificate with the most of them loses its oldest.
 */
export class PendingConnections implements Iterable<AgentConnection> {
  readonly #limit: SharedLimit<AgentConnection>;

  constructor({ maxConnections, evict }: PendingConnectionsInit) {
    this.#limit = new SharedLimit({
      total: Math.max(MIN_PENDING, maxConnections),
      whenFull: "evict",
      cost: () => 0,
      evict,
    });
  }

  /** Connections that are pending now. */
  get count(): number {
    return this.#limit.count;
  }

  [Symbol.iterator](): IterableIterator<AgentConnection> {
    return this.#limit[Symbol.iterator]();
  }

  /** How they are shared, for metrics. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /** A connection begins to wait for its `hello`. */
  add(connection: AgentConnection): void {
    this.#limit.take(connection.peer.identity, connection);
  }

  /** The `hello` arrived, or the connection is refused or closed; false if it is not pending. */
  remove(connection: AgentConnection): boolean {
    return this.#limit.release(connection);
  }
}
