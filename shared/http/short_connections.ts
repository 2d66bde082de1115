import type { Socket } from "node:net";
import type { CancelTimer, Clock } from "../clock.ts";
import { type LimitFigures, SharedLimit } from "../limits/shared_limit.ts";
import { addressBlock } from "../net/address_block.ts";

/** Limits of {@linkcode ShortConnections}. Times are milliseconds. */
export interface ShortConnectionLimits {
  /** Connections at once, shared by the addresses of clients. @default 32 */
  readonly maxConnections: number;
  /** From the connection to the end of the request's head; no byte extends it. @default 5000 */
  readonly headTimeoutMs: number;
  /** From the end of the head until the client has taken the answer. @default 5000 */
  readonly answerTimeoutMs: number;
}

/** The values used where nothing else is said: each connection is over within 10 s. */
export const DEFAULT_SHORT_CONNECTION_LIMITS: ShortConnectionLimits = {
  maxConnections: 32,
  headTimeoutMs: 5_000,
  answerTimeoutMs: 5_000,
};

/** Connections while the process is short of descriptors, of which a few are kept free for others. */
const MAX_CROWDED = 2;

interface Use {
  readonly isAnswered: boolean;
  readonly cancel: CancelTimer;
}

/**
 * Connections that carry one request each. When there are too many, the oldest that has sent no complete request is
 * closed for a new one, of the address that has the most: half requests keep out no client that sends a whole one.
 */
export class ShortConnections {
  readonly #clock: Clock;
  readonly #limits: ShortConnectionLimits;
  readonly #uses = new Map<Socket, Use>();
  readonly #limit: SharedLimit<Socket>;
  #closing = false;
  #whenEmpty: () => void = () => {};

  constructor(clock: Clock, limits: Partial<ShortConnectionLimits> = {}) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_SHORT_CONNECTION_LIMITS, ...limits };
    this.#limit = new SharedLimit({
      total: this.#limits.maxConnections,
      whenFull: "evict",
      cost: (socket) => this.#uses.get(socket)?.isAnswered ? 1 : 0,
      evict: (socket) => void socket.destroy(),
    });
  }

  /** How many are open, and how many were closed for others or refused. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /**
   * Counts a connection until it is closed, and closes it when it is late.
   *
   * @returns false when there is no room for it; it is closed then.
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
   * As {@linkcode add}, when the process is short of descriptors: closes all connections that have sent no complete
   * request, and takes this one only when hardly any other is left.
   */
  addCrowded(socket: Socket): boolean {
    this.#limit.makeWay(addressBlock(socket.remoteAddress), this.#limit.count);
    if (this.#limit.count < MAX_CROWDED) return this.add(socket);
    socket.destroy();
    return false;
  }

  /** The request's head is complete. */
  answering(socket: Socket): void {
    const use = this.#uses.get(socket);
    // Once: a client that sends request after request gets no more time.
    if (use === undefined || use.isAnswered) return;
    use.cancel();
    this.#set(socket, true, this.#limits.answerTimeoutMs);
  }

  /** Takes no more, closes those without a complete request, and resolves once the others are answered. */
  close(): Promise<void> {
    this.#closing = true;
    for (const [socket, { isAnswered }] of this.#uses) if (!isAnswered) socket.destroy();
    if (this.#uses.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty = resolve);
  }

  #set(socket: Socket, isAnswered: boolean, ms: number): void {
    this.#uses.set(socket, { isAnswered, cancel: this.#clock.after(ms, () => void socket.destroy()) });
  }

  #closed(socket: Socket): void {
    this.#uses.get(socket)?.cancel();
    this.#uses.delete(socket);
    this.#limit.release(socket);
    if (this.#uses.size === 0) this.#whenEmpty();
  }
}
