import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { within } from "../within.ts";

/** An origin of raw sockets, which can also be half-closed and reset. */
export class SocketOrigin implements AsyncDisposable {
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true });
  readonly #sockets = new Set<Socket>();
  #arrived: Socket[] = [];
  #waiting: ((socket: Socket) => void)[] = [];
  #accepted = 0;

  private constructor() {
    this.#server.on("connection", (socket: Socket) => {
      this.#accepted++;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      const taker = this.#waiting.shift();
      if (taker) taker(socket);
      else this.#arrived.push(socket);
    });
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(): Promise<SocketOrigin> {
    const origin = new SocketOrigin();
    await new Promise<void>((resolve) => origin.#server.listen(0, "127.0.0.1", resolve));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections it accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The next connection. */
  next(): Promise<Socket> {
    const socket = this.#arrived.shift();
    if (socket) return Promise.resolve(socket);
    return within(5_000, new Promise<Socket>((resolve) => this.#waiting.push(resolve)), "a connection");
  }

  /** Serves every connection with `handler`. */
  serve(handler: (socket: Socket) => void): this {
    this.#server.on("connection", handler);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await within(5_000, closed, "the origin closes");
  }
}

/** Reads a socket until `enough` is true for all text so far; rejects if the socket ends or fails first. */
export function readUntil(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  const onData = (bytes: Uint8Array) => {
    // A TextDecoder of that name decodes 0x80 to 0x9f as Windows-1252.
    text += Buffer.from(bytes).toString("latin1");
    if (enough(text)) resolve(text);
  };
  const onClose = () => reject(new Error(`Cannot continue to read: closed after ${JSON.stringify(text)}`));
  socket.on("data", onData).on("end", onClose).on("close", onClose);
  return within(5_000, promise, `more than ${JSON.stringify(text)}`).finally(() => {
    socket.off("data", onData).off("end", onClose).off("close", onClose);
  });
}

/** Reads a socket to its end. */
export function readToEnd(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  socket.on("data", (bytes: Uint8Array) => text += Buffer.from(bytes).toString("latin1"));
  socket.on("end", () => resolve(text)).on("error", reject);
  return within(5_000, promise, "the end of a socket");
}

/** Resolves when a socket is closed, with its error if it had one. */
export function socketClosed(socket: Socket): Promise<NodeJS.ErrnoException | undefined> {
  let failure: NodeJS.ErrnoException | undefined;
  socket.on("error", (error) => failure = error);
  const closed = new Promise<typeof failure>((resolve) => socket.on("close", () => resolve(failure)));
  return within(5_000, closed, "a socket closes");
}
