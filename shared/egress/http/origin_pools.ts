import type { Socket } from "node:net";
import { type LimitFigures, SharedLimit } from "../../limits/shared_limit.ts";
import { createOriginPool, type OriginPool, type OriginPoolOptions } from "./origin_pool.ts";

/** Idle connections of all clients together; each takes a file descriptor, here and at the origin. */
const MAX_IDLE = 256;

/** Options of {@linkcode OriginPools}. */
export interface OriginPoolsOptions extends Pick<OriginPoolOptions, "idleMs"> {
  /** Idle connections that are kept, over all clients. @default 256 */
  maxIdle?: number;
  /** An idle connection is evicted. */
  onEvict?: (socket: Socket) => void;
}

/** A pool, for as long as a stream needs it. */
export interface PoolLease {
  readonly pool: OriginPool;
  /** The stream is over; further calls do nothing. */
  end(): void;
}

interface Entry {
  readonly pool: OriginPool;
  leases: number;
}

/**
 * A pool of connections to origins for each client, never shared: what an origin responds on a connection may depend
 * on earlier requests, so that on a shared connection one client could decide what another gets.
 *
 * Idle connections are limited over all clients: one too many evicts the oldest of the client that has the most. A
 * pool is dropped with its last stream and connection.
 */
export class OriginPools {
  readonly #entries = new Map<string, Entry>();
  readonly #idle: SharedLimit<Socket>;
  readonly #idleMs: number | undefined;

  constructor({ maxIdle = MAX_IDLE, idleMs, onEvict }: OriginPoolsOptions = {}) {
    this.#idleMs = idleMs;
    this.#idle = new SharedLimit({
      total: maxIdle,
      whenFull: "evict",
      cost: () => 0,
      evict(socket) {
        onEvict?.(socket);
        socket.destroy();
      },
    });
  }

  /** The number of pools. */
  get size(): number {
    return this.#entries.size;
  }

  /** Idle connections, for metrics. */
  figures(): LimitFigures {
    return this.#idle.figures();
  }

  /** Lends a client its pool. */
  lease(client: string): PoolLease {
    const entry = this.#entries.get(client) ?? this.#add(client);
    entry.leases++;
    let isOver = false;
    return {
      pool: entry.pool,
      end: () => {
        if (isOver) return;
        isOver = true;
        entry.leases--;
        this.#dropIfUnused(client, entry);
      },
    };
  }

  /**
   * Closes up to `count` idle connections for `client`: those of clients that have more than it, else its own.
   *
   * @returns How many were closed.
   */
  shed(client: string, count: number): number {
    return this.#idle.evictFor(client, count);
  }

  /** Closes all connections. */
  destroy(): void {
    for (const { pool } of this.#entries.values()) pool.destroy();
  }

  #add(client: string): Entry {
    const idleLimit = {
      take: (socket: Socket) => this.#idle.take(client, socket),
      release: (socket: Socket) => void this.#idle.release(socket),
    };
    const emptied = () => this.#dropIfUnused(client, entry);
    const idleMs = this.#idleMs === undefined ? {} : { idleMs: this.#idleMs };
    const entry: Entry = { pool: createOriginPool({ idleLimit, emptied, ...idleMs }), leases: 0 };
    this.#entries.set(client, entry);
    return entry;
  }

  #dropIfUnused(client: string, entry: Entry): void {
    if (entry.leases > 0 || entry.pool.size > 0) return;
    if (this.#entries.get(client) === entry) this.#entries.delete(client);
  }
}
