import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { within } from "../within.ts";
import { PacedPipe } from "./paced_pipe.ts";

/** A connection through the relay. */
interface Pair {
  /** Both ends. */
  readonly sockets: readonly Socket[];
  readonly pipes: readonly PacedPipe[];
  /** Ends it at its age limit. */
  expiry?: ReturnType<typeof setTimeout>;
}

/** A TCP relay between two programs that a test can cut and silence. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections that are still forwarded. */
  readonly #pairs = new Set<Pair>();
  #silent = false;
  #lifetime = Infinity;
  /** Bytes between cuts, bytes until the next one, and how many are left. */
  #cutting = { every: Infinity, next: Infinity, times: 0 };
  /** The most bytes a second in each direction of a connection. */
  rate = Infinity;
  /** The address that new connections to the target come from: another one is another network. */
  localAddress = "127.0.0.1";
  /** Connections accepted so far. */
  accepted = 0;
  /** How often all connections were cut. */
  cuts = 0;

  private constructor(readonly target: number) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of 127.0.0.1 and forwards to `target`, a port there. */
  static async start(target: number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection, at both ends. */
  cut(): void {
    this.cuts++;
    this.#pairs.clear();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Resets the oldest connection, at both ends. */
  cutOldest(): void {
    const [oldest] = this.#pairs;
    for (const socket of oldest?.sockets ?? []) socket.resetAndDestroy();
  }

  /** Resets every connection each time that `bytes` more were forwarded, `times` times. */
  cutEvery(bytes: number, times: number): void {
    this.#cutting = { every: bytes, next: bytes, times };
  }

  /** Ends every connection, at both ends, after this many milliseconds from now on, as some middleboxes do. */
  limitLifetime(ms: number): void {
    this.#lifetime = ms;
    for (const pair of this.#pairs) this.#expireLater(pair);
  }

  /** Resets every connection at the end of who dialled; the target hears nothing of it. */
  cutNear(): void {
    for (const { sockets: [near, far], pipes } of this.#pairs) {
      for (const pipe of pipes) pipe.destroy();
      this.#swallow([far!]);
      near!.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  /**
   * Goes silent like a path that drops every packet: nothing is forwarded or answered, no connection is closed. New
   * connections are accepted meanwhile and never get an answer, not even after {@linkcode restore}.
   */
  silence(): void {
    this.#silent = true;
    for (const { sockets, pipes } of this.#pairs) {
      for (const pipe of pipes) pipe.destroy();
      this.#swallow(sockets);
    }
    this.#pairs.clear();
  }

  /** Forwards new connections again. Those from before stay silent. */
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
    const { target: port, localAddress } = this;
    const far = connect({ port, host: "127.0.0.1", localAddress, noDelay: true, allowHalfOpen: true });
    this.#keep(far);
    const pipes = [this.#forward(near, far), this.#forward(far, near)];
    const pair: Pair = { sockets: [near, far], pipes };
    this.#pairs.add(pair);
    this.#expireLater(pair);
    for (const socket of pair.sockets) {
      socket.once("close", () => {
        clearTimeout(pair.expiry);
        // A silent path does not forward an end either.
        if (this.#pairs.delete(pair)) this.#end(pair);
      });
    }
  }

  #expireLater(pair: Pair): void {
    if (this.#lifetime !== Infinity) pair.expiry = setTimeout(() => this.#end(pair), this.#lifetime);
  }

  #forward(from: Socket, to: Socket): PacedPipe {
    const pipe = new PacedPipe(() => this.rate, (bytes) => this.#count(bytes));
    from.pipe(pipe).pipe(to);
    return pipe;
  }

  #end({ sockets, pipes }: Pair): void {
    for (const each of [...pipes, ...sockets]) each.destroy();
  }

  #count(bytes: number): void {
    const cutting = this.#cutting;
    cutting.next -= bytes;
    if (cutting.next > 0 || cutting.times === 0) return;
    cutting.next = cutting.every;
    cutting.times--;
    this.cut();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #swallow(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      socket.unpipe();
      // The kernel still acknowledges unread bytes: only a full buffer is as silent as dropped packets.
      socket.pause();
    }
  }
}
