import { Agent, type ClientRequest, type ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";

/** What makes an {@linkcode OriginPool}. */
export interface OriginPoolOptions {
  /** Milliseconds that an unused connection is kept; an origin's own `Keep-Alive` may say less. @default 60000 */
  idleMs?: number;
  /** Unused connections kept to one host and port. @default 32 */
  maxIdle?: number;
  /** Room for unused connections, over several pools. @default {no limit} */
  room?: IdleRoom;
  /** The last connection was closed. */
  emptied?(): void;
}

/** Room for unused connections; `SharedLimit` without the client. */
export interface IdleRoom {
  /** A connection is not used any more; false when it cannot be kept. */
  take(socket: Socket): boolean;
  /** It is used again, or closed. */
  release(socket: Socket): void;
}

/** What a request to an origin carries beside what node:http knows. */
export interface OriginRequest {
  /** Makes the connection, if none that is kept serves. */
  readonly dial: (host: string, port: number) => Promise<Socket>;
}

/** Connections to HTTP origins. Each was dialled by the request that needed it first. */
export interface OriginPool {
  /** Reuses connections, per host and port. */
  readonly kept: Agent;
  /** Makes a connection for every request, and closes it afterwards. */
  readonly fresh: Agent;
  /** Whether a request went out on a connection that had served another one before. */
  wasReused(request: ClientRequest): boolean;
  /** Connections that may be used again, in use or not. */
  readonly size: number;
  /** Closes all connections. */
  destroy(): void;
}

/** Makes a pool of connections to origins. */
export function createOriginPool(options: OriginPoolOptions = {}): OriginPool {
  const { idleMs = 60_000, maxIdle = 32, room = UNLIMITED, emptied = () => {} } = options;
  // The last one used is the one that the origin is least likely to be closing.
  const kept = new DialingAgent({ idleMs, room, emptied }, {
    keepAlive: true,
    maxFreeSockets: maxIdle,
    scheduling: "lifo",
  });
  const fresh = new DialingAgent({ idleMs, room, emptied: () => {} }, { keepAlive: false });
  return {
    kept,
    fresh,
    wasReused: (request) => kept.reused.has(request),
    get size() {
      return kept.open.size;
    },
    destroy() {
      kept.destroy();
      fresh.destroy();
    },
  };
}

const UNLIMITED: IdleRoom = { take: () => true, release() {} };

type Created = (error: Error | null, socket: Duplex) => void;

type PoolOptions = Required<Pick<OriginPoolOptions, "idleMs" | "room" | "emptied">>;

class DialingAgent extends Agent {
  readonly reused = new WeakSet<ClientRequest>();
  readonly open = new Set<Socket>();
  readonly #own: PoolOptions;

  constructor(own: PoolOptions, options: ConstructorParameters<typeof Agent>[0]) {
    super(options);
    this.#own = own;
  }

  override createConnection(options: ClientRequestArgs, created?: Created): Duplex {
    // Whatever a request was made of comes here.
    const { dial } = options as ClientRequestArgs & OriginRequest;
    dial(options.host!, Number(options.port)).then(
      (socket) => {
        // An HTTP origin that ends its side is done: nothing is left half-open in the pool.
        socket.allowHalfOpen = false;
        this.#count(socket);
        created?.(null, socket);
      },
      (reason: Error) => created?.(reason, undefined as unknown as Duplex),
    );
    // Node takes nothing for "the socket comes later"; its type does not say so.
    return undefined as unknown as Duplex;
  }

  override keepSocketAlive(stream: Duplex): boolean {
    const socket = stream as Socket;
    const keep = super.keepSocketAlive(stream) as unknown as boolean;
    if (!keep || !this.#own.room.take(socket)) return false;
    // Less may have been set, because the origin said when it will close.
    if (!(socket.timeout && socket.timeout < this.#own.idleMs)) socket.setTimeout(this.#own.idleMs);
    socket.once("timeout", destroyThis);
    // An origin that speaks unasked is not to be trusted with the next request: its answer would be another's.
    socket.once("data", destroyThis);
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    const socket = stream as Socket;
    this.#own.room.release(socket);
    socket.setTimeout(0);
    socket.removeListener("timeout", destroyThis);
    socket.removeListener("data", destroyThis);
    super.reuseSocket(stream, request);
    // Deno 2.9 sends a request again by itself when a reused connection ends without an answer, POST and
    // cancelled ones too (denoland/deno#36786). It goes by this flag; whether to repeat is decided here.
    request.reusedSocket = false;
    this.reused.add(request);
  }

  #count(socket: Socket): void {
    this.open.add(socket);
    socket.once("close", () => {
      this.open.delete(socket);
      this.#own.room.release(socket);
      if (this.open.size === 0) this.#own.emptied();
    });
  }
}

function destroyThis(this: Socket): void {
  this.destroy();
}
