import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../clock.ts";
import { type LimitFigures, SharedLimit } from "../limits/shared_limit.ts";
import { addressBlock } from "../net/ip_address.ts";

/** Limits of {@linkcode ConnectionLimiter}. Times are milliseconds. */
export interface ConnectionLimits {
  /** Connections at once, shared between client addresses. @default 32 */
  readonly maxConnections: number;
  /** From the start of the connection to the end of the request's head; no byte extends it. @default 5000 */
  readonly headTimeoutMs: number;
  /** From the end of the head until the client has read the response. @default 5000 */
  readonly responseTimeoutMs: number;
}

/** The defaults: each connection is over within 10 s. */
const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 32,
  headTimeoutMs: 5_000,
  responseTimeoutMs: 5_000,
};

/** Connections while the process is short of file descriptors, of which a few are reserved for others. */
const MAX_WHEN_CROWDED = 2;

interface Deadline {
  readonly hasRequest: boolean;
  readonly cancel: CancelTimer;
}

/**
 * Limits connections that carry one request each, in number and time. If there are too many, the oldest without a
 * complete request, of the address that has the most, is closed for a new one: half-sent requests do not keep out a
 * client that sends a complete one.
 */
export class ConnectionLimiter {
  readonly #clock: Clock;
  readonly #limits: ConnectionLimits;
  readonly #deadlines = new Map<Socket, Deadline>();
  readonly #limit: SharedLimit<Socket>;
  #closing = false;
  #whenEmpty: () => void = () => {};

  constructor(clock: Clock, limits: Partial<ConnectionLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_CONNECTION_LIMITS, ...limits };
    this.#limit = new SharedLimit({
      total: this.#limits.maxConnections,
      whenFull: "evict",
      cost: (socket) => this.#deadlines.get(socket)?.hasRequest ? 1 : 0,
      evict: (socket) => void socket.destroy(),
    });
  }

  /** How many are open, and how many were evicted or refused. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /**
   * Counts a connection until it is closed, and closes it at its deadline.
   *
   * @returns false if the limit is reached; the connection is closed then.
   */
  add(socket: Socket): boolean {
    if (this.#closing || !this.#limit.take(addressBlock(socket.remoteAddress), socket)) {
      socket.destroy();
      return false;
    }
    this.#set(socket, false, this.#limits.headTimeoutMs);
    socket.once("close", () => this.#closed(socket));
    return true;
  }

  /**
   * Like {@linkcode add}, when the process is short of file descriptors: closes all connections without a complete
   * request, and accepts this one only if hardly any other is left.
   */
  addCrowded(socket: Socket): boolean {
    this.#limit.evictFree();
    if (this.#limit.count < MAX_WHEN_CROWDED) return this.add(socket);
    socket.destroy();
    return false;
  }

  /** The request's head is complete, and the response begins. */
  responding(socket: Socket): void {
    const deadline = this.#deadlines.get(socket);
    // Once: a client that sends request after request does not get more time.
    if (deadline === undefined || deadline.hasRequest) return;
    deadline.cancel();
    this.#set(socket, true, this.#limits.responseTimeoutMs);
  }

  /** Stops accepting, closes those without a complete request, and resolves when the other responses are sent. */
  close(): Promise<void> {
    this.#closing = true;
    for (const [socket, { hasRequest }] of this.#deadlines) if (!hasRequest) socket.destroy();
    if (this.#deadlines.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty = resolve);
  }

  #set(socket: Socket, hasRequest: boolean, ms: number): void {
    this.#deadlines.set(socket, { hasRequest, cancel: this.#clock.after(ms, () => void socket.destroy()) });
  }

  #closed(socket: Socket): void {
    this.#deadlines.get(socket)?.cancel();
    this.#deadlines.delete(socket);
    this.#limit.release(socket);
    if (this.#deadlines.size === 0) this.#whenEmpty();
  }
}
