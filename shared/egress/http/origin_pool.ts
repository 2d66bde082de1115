import { Agent, type ClientRequest, type ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { writeLatin1Heads } from "../../http/headers.ts";
import { filterOf, filterResponses } from "../filter/filtered_socket.ts";

/** Options of {@linkcode createOriginPool}. */
export interface OriginPoolOptions {
  /** Milliseconds that an idle connection is kept; an origin's `Keep-Alive` may ask for less. @default 60000 */
  idleMs?: number;
  /** Idle connections kept for one host and port. @default 32 */
  maxIdle?: number;
  /** Limits the idle connections of several pools. @default {no limit} */
  idleLimit?: IdleLimit;
  /** The last connection was closed. */
  emptied?(): void;
}

/** Limits idle connections: a `SharedLimit` as one client sees it. */
export interface IdleLimit {
  /** A connection becomes idle; false when it cannot be kept. */
  take(socket: Socket): boolean;
  /** It is in use again, or closed. */
  release(socket: Socket): void;
}

/** What a request to an origin has in addition to the options of node:http. */
export interface OriginRequest {
  /** Makes the connection, if there is no idle one. */
  readonly dial: (host: string, port: number) => Promise<Socket>;
}

/** Connections to HTTP origins. Each was dialled for the request that first needed it. */
export interface OriginPool {
  /** Reuses connections, per host and port. */
  readonly kept: Agent;
  /** Makes a connection for each request, and closes it afterwards. */
  readonly fresh: Agent;
  /** Whether a request was sent on a connection that had served another one before. */
  wasReused(request: ClientRequest): boolean;
  /** Connections that can be reused, idle or not, and those being dialled. */
  readonly size: number;
  /** Closes all connections. */
  destroy(): void;
}

/**
 * Makes a pool of connections to origins.
 *
 * @example
 * ```ts
 * import { request } from "node:http";
 * import { connect } from "node:net";
 * import {
 *   createOriginPool,
 *   type IdleLimit,
 *   type OriginPool,
 *   type OriginPoolOptions,
 *   type OriginRequest,
 * } from "./origin_pool.ts";
 *
 * const idleLimit: IdleLimit = { take: () => true, release() {} };
 * const options: OriginPoolOptions = { idleMs: 10_000, idleLimit };
 * const pool: OriginPool = createOriginPool(options);
 * const dialling: OriginRequest = { dial: (host, port) => Promise.resolve(connect({ host, port })) };
 * const get = { agent: pool.kept, host: "example.org", port: 80, path: "/", ...dialling };
 * request(get, (response) => response.resume()).end();
 * ```
 */
export function createOriginPool(options: OriginPoolOptions = {}): OriginPool {
  const { idleMs = 60_000, maxIdle = 32, idleLimit = UNLIMITED, emptied = () => {} } = options;
  // The one used last is the one that the origin is least likely to be closing.
  const kept = new DialingAgent({ idleMs, idleLimit, emptied }, {
    keepAlive: true,
    maxFreeSockets: maxIdle,
    scheduling: "lifo",
  });
  const fresh = new DialingAgent({ idleMs, idleLimit, emptied: () => {} }, { keepAlive: false });
  return {
    kept,
    fresh,
    wasReused: (request) => kept.reused.has(request),
    get size() {
      return kept.size;
    },
    destroy() {
      kept.destroy();
      fresh.destroy();
    },
  };
}

const UNLIMITED: IdleLimit = { take: () => true, release() {} };

type Created = (error: Error | null, socket: Duplex) => void;

type PoolOptions = Required<Pick<OriginPoolOptions, "idleMs" | "idleLimit" | "emptied">>;

class DialingAgent extends Agent {
  readonly reused = new WeakSet<ClientRequest>();
  readonly #open = new Set<Socket>();
  /** Dials in progress: each may still add a connection, even when its request has been cancelled. */
  #dialling = 0;
  readonly #own: PoolOptions;

  constructor(own: PoolOptions, options: ConstructorParameters<typeof Agent>[0]) {
    super(options);
    this.#own = own;
  }

  get size(): number {
    return this.#open.size + this.#dialling;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): Duplex {
    // All options of the request are passed to this method.
    const { dial } = options as ClientRequestArgs & OriginRequest;
    this.#dialling++;
    const prepared = async () => {
      const socket = await dial(options.host!, Number(options.port));
      // An HTTP origin that ends its side is done: the pool keeps no half-open connection.
      socket.allowHalfOpen = false;
      writeLatin1Heads(socket);
      filterResponses(socket, options.method ?? undefined);
      return socket;
    };
    prepared().then(
      (socket) => {
        this.#dialling--;
        this.#count(socket);
        created?.(null, socket);
      },
      (reason: Error) => {
        this.#dialling--;
        created?.(reason, undefined as unknown as Duplex);
        this.#reportIfEmpty();
      },
    );
    // For Node, undefined means that the socket comes later; its type does not say so.
    return undefined as unknown as Duplex;
  }

  override keepSocketAlive(stream: Duplex): boolean {
    const socket = stream as Socket;
    const filter = filterOf(socket);
    if (!filter.reusable) return false;
    const keep = super.keepSocketAlive(stream) as unknown as boolean;
    if (!keep || !this.#own.idleLimit.take(socket)) return false;
    // A shorter one may be set, because the origin said when it will close.
    if (!(socket.timeout && socket.timeout < this.#own.idleMs)) socket.setTimeout(this.#own.idleMs);
    socket.once("timeout", destroyThis);
    // An origin that sends unsolicited bytes gets no further request: they would be taken for its response.
    filter.onExcess = () => socket.destroy();
    // Without a listener nothing is read, and neither bytes nor the end of the connection would be noticed.
    socket.once("data", destroyThis);
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    const socket = stream as Socket;
    this.#own.idleLimit.release(socket);
    socket.setTimeout(0);
    socket.removeListener("timeout", destroyThis);
    socket.removeListener("data", destroyThis);
    filterOf(socket).begin(request.method);
    super.reuseSocket(stream, request);
    // Deno 2.9 retries any request when a reused connection ends without a response, even POST and cancelled ones
    // (denoland/deno#36786). It checks this flag; whether to retry is decided by mayRetry.
    request.reusedSocket = false;
    this.reused.add(request);
  }

  #count(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#own.idleLimit.release(socket);
      this.#reportIfEmpty();
    });
  }

  #reportIfEmpty(): void {
    if (this.size === 0) this.#own.emptied();
  }
}

function destroyThis(this: Socket): void {
  this.destroy();
}
