import type { Socket } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import { SharedLimit } from "../../shared/limits/shared_limit.ts";
import { addressBlock } from "../../shared/net/address_block.ts";

/** Milliseconds after which an idle connection may be closed for another one. */
const PATIENCE = 1_000;

/** What makes {@linkcode Connections}. */
export interface ConnectionsInit {
  readonly clock: Clock;
  /** Connections that are served at once, shared by the addresses of clients. */
  readonly maxConnections: number;
  /** A connection was closed for another one. */
  onEvicted(socket: Socket): void;
}

interface Use {
  readonly isBusy: boolean;
  /** Of the clock. */
  readonly since: number;
}

/**
 * Every connection of the front door, and which of them are in use. When there are too many, one that has been idle
 * for a second is closed for a new one; and the address that has the most gives way to one that has clearly fewer.
 */
export class Connections {
  readonly #clock: Clock;
  readonly #uses = new Map<Socket, Use>();
  readonly #served: SharedLimit<Socket>;
  #draining = false;
  #whenEmpty: (() => void)[] = [];

  constructor({ clock, maxConnections, onEvicted }: ConnectionsInit) {
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

  /** Connections that are open. */
  get count(): number {
    return this.#uses.size;
  }

  /** Whether each connection closes as soon as it is idle. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Whether there is room to serve a connection that was added; the room is taken until it is closed. */
  serve(socket: Socket): boolean {
    return this.#served.take(addressBlock(socket.remoteAddress), socket);
  }

  /**
   * Closes one of those that are served for `socket`, as when there are too many, since the process is short of
   * descriptors.
   *
   * @returns Whether there was one to close.
   */
  makeWay(socket: Socket): boolean {
    return this.#served.makeWay(addressBlock(socket.remoteAddress), 1) > 0;
  }

  /** Counts a connection, idle at first, until it is closed. */
  add(socket: Socket): void {
    this.#use(socket, false);
    socket.once("close", () => {
      this.#served.release(socket);
      this.#uses.delete(socket);
      if (this.#uses.size > 0) return;
      for (const tell of this.#whenEmpty.splice(0)) tell();
    });
  }

  /** Something is under way on it. */
  markBusy(socket: Socket): void {
    if (this.#uses.has(socket)) this.#use(socket, true);
  }

  /** Nothing is under way on it any more; what was written still leaves. */
  markIdle(socket: Socket): void {
    if (this.#uses.has(socket)) this.#use(socket, false);
    if (this.#draining) socket.destroySoon();
  }

  /** Closes the idle connections now and the others as they become idle. */
  drain(): void {
    this.#draining = true;
    for (const [socket, { isBusy }] of this.#uses) {
      if (!isBusy) socket.destroy();
    }
  }

  /** Cuts every connection. */
  destroy(): void {
    for (const socket of this.#uses.keys()) socket.destroy();
  }

  /** Resolves once there is none. */
  empty(): Promise<void> {
    if (this.#uses.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  #use(socket: Socket, isBusy: boolean): void {
    this.#uses.set(socket, { isBusy, since: this.#clock.now() });
  }

  #costOf(socket: Socket): number {
    const { isBusy, since } = this.#uses.get(socket)!;
    if (isBusy) return 2;
    return this.#clock.now() - since < PATIENCE ? 1 : 0;
  }
}
