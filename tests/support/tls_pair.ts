import type { TLSSocket } from "node:tls";
import type { SallyportError } from "../../shared/errors.ts";
import { type DialledConnection, type DialOptions, dialTls } from "../../shared/tls/dial.ts";
import type { Identity } from "../../shared/tls/identity.ts";
import { type ListenOptions, listenTls, type TlsListener } from "../../shared/tls/listen.ts";
import type { Peer } from "../../shared/tls/peer.ts";
import { TEST_SERVER_NAME } from "./pki.ts";
import { within } from "./within.ts";

/** Somebody whom a listener did not let in. */
export interface Refusal {
  readonly reason: SallyportError;
  readonly remote: string;
}

/** A listener on a free port of 127.0.0.1 that remembers whom it let in and whom not. */
export class TestListener implements AsyncDisposable {
  readonly #accepted = new Arrivals<{ socket: TLSSocket; peer: Peer }>("a connection");
  readonly #refused = new Arrivals<Refusal>("a refusal");
  readonly #sockets: TLSSocket[] = [];
  #listener: TlsListener | undefined;

  /** Listens. */
  static async start(identity: Identity, options: Partial<ListenOptions> = {}): Promise<TestListener> {
    const test = new TestListener();
    test.#listener = await listenTls({
      host: "127.0.0.1",
      port: 0,
      identity,
      handshakeTimeoutMs: 5_000,
      onConnection: (socket, peer) => {
        test.#sockets.push(socket);
        test.#accepted.add({ socket, peer });
      },
      onRefused: (reason, remote) => test.#refused.add({ reason, remote }),
      ...options,
    });
    return test;
  }

  /** The listener itself. */
  get listener(): TlsListener {
    return this.#listener!;
  }

  /** The next connection that was let in. */
  accepted(): Promise<{ socket: TLSSocket; peer: Peer }> {
    return this.#accepted.next();
  }

  /** The next refusal. */
  refused(): Promise<Refusal> {
    return this.#refused.next();
  }

  /** Dials it. */
  dial(identity: Identity, options: Partial<DialOptions> = {}): Promise<DialledConnection> {
    return dialTls({
      host: "127.0.0.1",
      port: this.listener.address.port,
      serverName: TEST_SERVER_NAME,
      sni: TEST_SERVER_NAME,
      identity,
      connectTimeoutMs: 5_000,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close();
    await Promise.all(this.#sockets.map(destroyed));
  }
}

/** Cuts a socket and waits until nothing is left of it. */
export function destroyed(socket: TLSSocket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.destroy();
  return within(5_000, closed, "a socket closes");
}

/** Things that are waited for one by one, come they before or after. */
class Arrivals<T> {
  readonly #there: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  constructor(readonly what: string) {}

  add(value: T): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#there.push(value);
    else taker(value);
  }

  next(): Promise<T> {
    const value = this.#there.shift();
    if (value !== undefined) return Promise.resolve(value);
    return within(5_000, new Promise<T>((resolve) => this.#waiting.push(resolve)), this.what);
  }
}
