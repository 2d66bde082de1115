import type { TLSSocket } from "node:tls";
import type { SallyportError } from "../../../shared/errors.ts";
import { type DialledConnection, type DialOptions, dialTls } from "../../../shared/tls/dial.ts";
import type { Identity } from "../../../shared/pki/identity/identity.ts";
import { type ListenOptions, listenTls, type TlsListener } from "../../../shared/tls/listen.ts";
import type { Peer } from "../../../shared/pki/peer_verification.ts";
import { TEST_SERVER_NAME } from "./pki.ts";
import { within } from "../within.ts";

/** A connection that a listener refused. */
export interface Refusal {
  readonly reason: SallyportError;
  readonly remote: string;
}

/** A listener on a free port of 127.0.0.1 that records accepted and refused connections. */
export class TestListener implements AsyncDisposable {
  readonly #accepted = new Arrivals<{ socket: TLSSocket; peer: Peer }>("a connection");
  readonly #refused = new Arrivals<Refusal>("a refusal");
  readonly #sockets: TLSSocket[] = [];
  #listener: TlsListener | undefined;

  /** Starts to listen. */
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

  /** Resolves with the next accepted connection. */
  accepted(): Promise<{ socket: TLSSocket; peer: Peer }> {
    return this.#accepted.next();
  }

  /** Resolves with the next refusal. */
  refused(): Promise<Refusal> {
    return this.#refused.next();
  }

  /** Dials the listener. */
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

/** Destroys a socket and waits until it is closed. */
export function destroyed(socket: TLSSocket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.destroy();
  return within(5_000, closed, "a socket closes");
}

/** A queue that can be read before or after values arrive. */
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
