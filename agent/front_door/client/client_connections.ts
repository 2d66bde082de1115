import type { Socket } from "node:net";
import type { Clock } from "../../../shared/clock.ts";
import { SharedLimit } from "../../../shared/limits/shared_limit.ts";
import { addressBlock } from "../../../shared/net/ip_address.ts";

/** Milliseconds after which an idle connection may be evicted. */
const IDLE_GRACE = 1_000;

/** What {@linkcode ClientConnections} needs. */
export interface ClientConnectionsInit {
  readonly clock: Clock;
  /** Connections served at once, shared fairly among client addresses. */
  readonly maxConnections: number;
  /** Called when a connection is closed to make room for another. */
  onEvicted(socket: Socket): void;
}

interface Usage {
  readonly isBusy: boolean;
  /** Time of the clock. */
  readonly since: number;
}

/**
 * All client connections of the front door, and which of them are busy. At the limit, a connection that has been idle
 * for a second is evicted for a new one; failing that, the address with the most connections loses one to an address
 * that has clearly fewer.
 */
export class ClientConnections {
  readonly #clock: Clock;
  readonly #usage = new Map<Socket, Usage>();
  readonly #served: SharedLimit<Socket>;
  #draining = false;
  #whenEmpty: (() => void)[] = [];

  constructor({ clock, maxConnections, onEvicted }: ClientConnectionsInit) {
    this.#clock = clock;
    this.#served = new SharedLimit({
      total: maxConnections,
      whenFull: "evict",
      cost: (socket) => this.#costOf(socket),
      evict(socket) {
        onEvicted(socket);
        socket.destroy();
      },
    });
  }

  /** Open connections. */
  get count(): number {
    return this.#usage.size;
  }

  /** Whether each connection is closed as soon as it is idle. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Reserves room to serve a connection until it closes; returns whether there was room. */
  serve(socket: Socket): boolean {
    return this.#served.take(addressBlock(socket.remoteAddress), socket);
  }

  /**
   * Evicts a served connection for `socket`, as at the limit, because the process is short of descriptors.
   *
   * @returns Whether one was evicted.
   */
  makeWay(socket: Socket): boolean {
    return this.#served.evictFor(addressBlock(socket.remoteAddress), 1) > 0;
  }

  /** Counts a connection, idle at first, until it closes. */
  add(socket: Socket): void {
    this.#setBusy(socket, false);
    socket.once("close", () => {
      this.#served.release(socket);
      this.#usage.delete(socket);
      if (this.#usage.size > 0) return;
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
    });
  }

  /** A request or a stream is open on the connection. */
  markBusy(socket: Socket): void {
    if (this.#usage.has(socket)) this.#setBusy(socket, true);
  }

  /** Nothing is open on the connection any longer; what was written is still sent. */
  markIdle(socket: Socket): void {
    if (this.#usage.has(socket)) this.#setBusy(socket, false);
    if (this.#draining) socket.destroySoon();
  }

  /** Closes idle connections at once and the others when they become idle. */
  drain(): void {
    this.#draining = true;
    for (const [socket, { isBusy }] of this.#usage) {
      if (!isBusy) socket.destroy();
    }
  }

  /** Closes all connections at once. */
  destroy(): void {
    for (const socket of this.#usage.keys()) socket.destroy();
  }

  /** Resolves when no connection is left. */
  empty(): Promise<void> {
    if (this.#usage.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  #setBusy(socket: Socket, isBusy: boolean): void {
    this.#usage.set(socket, { isBusy, since: this.#clock.now() });
  }

  #costOf(socket: Socket): number {
    const { isBusy, since } = this.#usage.get(socket)!;
    if (isBusy) return 2;
    return this.#clock.now() - since < IDLE_GRACE ? 1 : 0;
  }
}
