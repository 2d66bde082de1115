import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { within } from "./within.ts";

/** A path between two programs that a test can cut and silence. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Both ends of every connection that is still forwarded. */
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #silent = false;
  /** Connections that came so far. */
  accepted = 0;

  private constructor(readonly target: number) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of 127.0.0.1 and forwards to `target`, a port there. */
  static async start(target: number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection, at both ends. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /**
   * Goes silent, as a path does that drops every packet: nothing is forwarded, nothing is answered, no connection
   * is closed. Those that come meanwhile are taken and stay without an answer, whatever happens later.
   */
  silence(): void {
    this.#silent = true;
    for (const pair of this.#pairs) this.#swallow(pair);
    this.#pairs.clear();
  }

  /** Forwards what comes from now on. Connections from before stay dead. */
  restore(): void {
    this.#silent = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await within(5_000, closed, "the relay closes");
  }

  #accept(near: Socket): void {
    this.accepted++;
    this.#keep(near);
    if (this.#silent) return this.#swallow([near]);
    const far = connect({ port: this.target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    this.#keep(far);
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      from.pipe(to);
      from.once("close", () => {
        // A silent path tells nobody of an end.
        if (this.#pairs.delete(pair)) to.destroy();
      });
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #swallow(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      socket.unpipe();
      // The kernel acknowledges what is not read: full buffers are as silent as dropped packets.
      socket.pause();
    }
  }
}
