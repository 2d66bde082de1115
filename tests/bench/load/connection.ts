import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** Where a load goes, and how. */
export interface Route {
  /** `http` opens a tunnel with CONNECT, `socks5` with SOCKS5; `direct` connects to the port itself. */
  readonly kind: "http" | "socks5" | "direct";
  /** The port of 127.0.0.1 that is connected to. */
  readonly port: number;
  /** The origin's port of 127.0.0.1, as the far end of the tunnel sees it. */
  readonly target: number;
}

/** Milliseconds for a tunnel to open, and for a small response. */
const TIMEOUT_MS = 20_000;

const HEAD_END = "\r\n\r\n";

/** A connection to the origin, through a tunnel or not. */
export class Connection implements Disposable {
  #received: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #error: Error | undefined;
  /** Gets what is received instead of the buffer, once it is set. */
  #sink: ((part: Buffer) => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.on("data", (part: Buffer) => {
      if (this.#sink) return this.#sink(part);
      this.#received = this.#received.length === 0 ? part : Buffer.concat([this.#received, part]);
      this.#wake?.();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`nothing received for ${TIMEOUT_MS} ms`)));
  }

  /** Opens a tunnel to the origin. @throws {Error} When it is refused. */
  static async open(route: Route): Promise<Connection> {
    const connection = new Connection(connect({ port: route.port, host: "127.0.0.1", noDelay: true }));
    try {
      if (route.kind === "http") await connection.#connect(route.target);
      if (route.kind === "socks5") await connection.#socks(route.target);
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Requests a small resource and returns its body. @throws {Error} When its status is not 200. */
  async get(path: string): Promise<string> {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: origin\r\n\r\n`);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(await this.#head())![1]);
    return (await this.#take(length)).toString("latin1");
  }

  /**
   * Requests a large resource.
   *
   * @param received Called with the size of each part of the body.
   */
  async download(bytes: number, received: (bytes: number) => void): Promise<void> {
    this.socket.write(`GET /bytes/${bytes} HTTP/1.1\r\nHost: origin\r\n\r\n`);
    await this.#head();
    received(this.#received.length);
    this.#sink = (part) => received(part.length);
  }

  /**
   * Reads the response to an upload, in which the origin tells again and again how much it has received.
   *
   * @param received Called with all bytes so far.
   * @throws {Error} When the connection ends.
   */
  async counts(received: (bytes: number) => void): Promise<never> {
    await this.#head();
    // A count that is divided between two parts is too low, and corrected by the next one.
    const read = (part: Buffer) => {
      for (const [, count] of part.toString("latin1").matchAll(/(\d+)\n/g)) received(Number(count));
    };
    this.#sink = read;
    read(this.#received);
    return await this.ended();
  }

  /** Rejects when the connection ends. */
  async ended(): Promise<never> {
    while (this.#error === undefined) await this.#more();
    throw this.#error;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #connect(target: number): Promise<void> {
    const host = `127.0.0.1:${target}`;
    this.socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await this.#head();
  }

  /** RFC 1928: no authentication, CONNECT to an IPv4 address. */
  async #socks(target: number): Promise<void> {
    this.socket.write(Uint8Array.of(5, 1, 0));
    const method = (await this.#take(2))[1];
    if (method !== 0) throw new Error(`SOCKS5 method ${method}`);
    this.socket.write(Uint8Array.of(5, 1, 0, 1, 127, 0, 0, 1, target >> 8, target & 255));
    const [, reply, , type] = await this.#take(4);
    if (reply !== 0) throw new Error(`SOCKS5 reply ${reply}`);
    await this.#take(type === 4 ? 18 : 6);
  }

  async #head(): Promise<string> {
    let end: number;
    while ((end = this.#received.indexOf(HEAD_END)) < 0) await this.#more();
    const head = (await this.#take(end + HEAD_END.length)).toString("latin1");
    if (!/^HTTP\/1\.[01] 200 /.test(head)) throw new Error(`response: ${head.split("\r\n", 1)[0]}`);
    return head;
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#received.length < length) await this.#more();
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #more(): Promise<void> {
    if (this.#error) throw this.#error;
    await new Promise<void>((resolve) => this.#wake = resolve);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }
}
