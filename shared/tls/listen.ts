import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { SallyportError } from "../errors.ts";
import { Acceptor } from "../net/acceptor.ts";
import { Handshakes } from "./handshakes.ts";
import type { Identity } from "./identity.ts";
import { judgePeer, type Peer } from "./peer.ts";
import { requireSafeRuntime } from "./safe_runtime.ts";

/** What makes a listener. */
export interface ListenOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Who we are, and whom we believe. */
  readonly identity: Identity;
  /** Milliseconds for a TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** Handshakes of other listeners too, that share one limit. @default {of this listener alone} */
  readonly handshakes?: Handshakes;
  /** A peer was let in; its socket was not yet read, and belongs to whoever takes it, who limits how many there are. */
  onConnection(socket: TLSSocket, peer: Peer): void;
  /** Somebody was not let in, and why: `peer_rejected`, `limit_reached` or `tunnel_down`. */
  onRefused(reason: SallyportError, remoteAddress: string): void;
}

/** A port where peers are let in. */
export interface TlsListener {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** Connections of peers that were let in and have not ended. */
  readonly connectionCount: number;
  /**
   * Replaces who we are and whom we believe. Handshakes under way are judged by it too; connections of peers that
   * were let in go on, and `judgeAgain` says which of them should not.
   */
  use(identity: Identity): void;
  /**
   * Frees the port and cuts the handshakes under way. Connections that were handed over go on: they belong to
   * those who took them.
   */
  close(): Promise<void>;
}

/**
 * Listens for peers with mutual TLS 1.3 (SPEC.md 1.1). There must be no other TLS server in the process: its
 * session tickets would be good here too, and only `judgePeer` stands against them.
 *
 * @throws {SallyportError} When the port cannot be had, or the runtime is too old to ask for certificates.
 */
export async function listenTls(options: ListenOptions): Promise<TlsListener> {
  requireSafeRuntime();
  const listener = new Listener(options);
  await listener.open();
  return listener;
}

class Listener implements TlsListener {
  readonly #options: ListenOptions;
  readonly #server: Server;
  readonly #handshakes: Handshakes;
  #acceptor: Acceptor | undefined;
  #connections = 0;
  #identity: Identity;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#handshakes = options.handshakes ?? new Handshakes({
      timeoutMs: options.handshakeTimeoutMs,
      onRefused: (reason, remote) => options.onRefused(reason, remote),
    });
    const { cert, key } = options.identity;
    this.#server = createServer({
      cert,
      key,
      // No `ca`: with one, the TLS library looks for a path through whatever a stranger presents, which costs seconds
      // for 200 certificates of one name. That the peer holds the certificate's key it checks all the same.
      requestCert: true,
      // `judgePeer` decides, and says why. Left to the runtime, all that is known of a refused certificate is
      // "socket hang up"; and it lets resumed handshakes through in either case.
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
      ALPNProtocols: ["http/1.1"],
    });
    this.#server.on("connection", (socket: Socket) => this.#handshakes.begin(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#handshakes.failed(error, socket));
    this.#server.on("secureConnection", (socket) => this.#judge(socket));
  }

  get address(): { host: string; port: number } {
    const { address: host = "", port = 0 } = this.#acceptor?.address ?? {};
    return { host, port };
  }

  get connectionCount(): number {
    return this.#connections;
  }

  async open(): Promise<void> {
    const { host, port, onRefused } = this.#options;
    this.#acceptor = await Acceptor.open({
      host,
      port,
      allowHalfOpen: false,
      onConnection: (socket) => void this.#server.emit("connection", socket),
      onCrowded: (socket, reason) => {
        onRefused(reason, socket.remoteAddress ?? "unknown");
        socket.destroy();
      },
      // Those who are connected stay.
      onTrouble: (reason) => onRefused(reason, "unknown"),
    });
  }

  use(identity: Identity): void {
    const { cert, key } = identity;
    // As above, without `ca`.
    this.#server.setSecureContext({ cert, key, minVersion: "TLSv1.3" });
    this.#identity = identity;
  }

  close(): Promise<void> {
    this.#acceptor?.close();
    this.#handshakes.cutAll();
    return Promise.resolve();
  }

  #judge(socket: TLSSocket): void {
    // Stays for good: an error that comes before or after its owner listens would end the process.
    socket.on("error", () => {});
    const remote = this.#handshakes.finished(socket);
    if (remote === undefined) {
      socket.destroy();
      return;
    }
    const { onConnection, onRefused } = this.#options;
    let peer: Peer;
    try {
      const { authorities, revocation } = this.#identity;
      peer = judgePeer(socket, { authorities, revocation, usage: "clientAuth", proof: "alone" });
    } catch (reason) {
      socket.destroy();
      onRefused(SallyportError.from(reason, "peer_rejected"), remote);
      return;
    }
    this.#connections++;
    socket.once("close", () => this.#connections--);
    socket.setNoDelay(true);
    onConnection(socket, peer);
  }
}
