import type { Socket } from "node:net";

/** Every connection of the front door, and which of them are in use. */
export class Connections {
  readonly #busy = new Map<Socket, boolean>();
  #draining = false;
  #whenEmpty: (() => void)[] = [];

  /** Connections that are open. */
  get count(): number {
    return this.#busy.size;
  }

  /** Whether each connection closes as soon as it is idle. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Counts a connection, idle at first, until it is closed. */
  add(socket: Socket): void {
    this.#busy.set(socket, false);
    socket.once("close", () => {
      this.#busy.delete(socket);
      if (this.#busy.size > 0) return;
      for (const tell of this.#whenEmpty.splice(0)) tell();
    });
  }

  /** Something is under way on it. */
  markBusy(socket: Socket): void {
    if (this.#busy.has(socket)) this.#busy.set(socket, true);
  }

  /** Nothing is under way on it any more; what was written still leaves. */
  markIdle(socket: Socket): void {
    if (this.#busy.has(socket)) this.#busy.set(socket, false);
    if (this.#draining) socket.destroySoon();
  }

  /** Closes the idle connections now and the others as they become idle. */
  drain(): void {
    this.#draining = true;
    for (const [socket, busy] of this.#busy) {
      if (!busy) socket.destroy();
    }
  }

  /** Cuts every connection. */
  destroy(): void {
    for (const socket of this.#busy.keys()) socket.destroy();
  }

  /** Resolves once there is none. */
  empty(): Promise<void> {
    if (this.#busy.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }
}
