import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { SallyportError } from "../errors.ts";
import type { LimitFigures } from "../limits/shared_limit.ts";
import { Acceptor } from "../net/acceptor.ts";
import type { Identity } from "../pki/identity/identity.ts";
import { type Peer, verifyPeer } from "../pki/peer_verification.ts";
import { Handshakes } from "./handshakes.ts";

/** Options of {@linkcode listenTls}. */
export interface ListenOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Our certificate, and the CA that we trust. */
  readonly identity: Identity;
  /** Milliseconds for a TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** Pending handshakes, to share one limit with other listeners. @default {of this listener alone} */
  readonly handshakes?: Handshakes;
  /** Called for each verified peer. The socket has not been read. It belongs to the callee, which limits their number. */
  onConnection(socket: TLSSocket, peer: Peer): void;
  /** Called for each refused peer: `peer_rejected`, `limit_reached` or `tunnel_down`. */
  onRefused(reason: SallyportError, remoteAddress: string): void;
  /** The port is open again after it accepted no connections, `downMs` milliseconds later. */
  onReopened?(downMs: number): void;
}

/** A TLS port. */
export interface TlsListener {
  /** The address that it listens on. */
  readonly address: { readonly host: string; readonly port: number };
  /** Open connections of verified peers. */
  readonly connectionCount: number;
  /**
   * Replaces our certificate and the CA that we trust, also for pending handshakes. Open connections stay;
   * `revalidatePeer` decides which of them must end.
   */
  use(identity: Identity): void;
  /**
   * Frees the port and ends the pending handshakes. Connections passed to `onConnection` stay open.
   */
  close(): Promise<void>;
}

/**
 * Listens for peers with mutual TLS 1.3 (SPEC.md 1.1). There must be no other TLS server in the process: its
 * session tickets would be valid here too, and only `verifyPeer` refuses them.
 *
 * @throws {SallyportError} When the port is not available, or the runtime is too old to require certificates.
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
      // Without `ca`: with it, the TLS library searches a path through all certificates that an unknown peer presents,
      // which takes seconds for 200 of one name. It proves possession of the private key in either case.
      requestCert: true,
      // `verifyPeer` decides, and knows the reason. The runtime only reports "socket hang up" for a refused certificate,
      // and accepts resumed handshakes in either case.
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
      ALPNProtocols: ["http/1.1"],
    });
    this.#server.on("connection", (socket: Socket) => this.#handshakes.begin(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#handshakes.failed(error, socket));
    this.#server.on("secureConnection", (socket) => this.#verify(socket));
  }

  get address(): { host: string; port: number } {
    const { address: host = "", port = 0 } = this.#acceptor?.address ?? {};
    return { host, port };
  }

  get connectionCount(): number {
    return this.#connections;
  }

  async open(): Promise<void> {
    const { host, port, onRefused, onReopened } = this.#options;
    this.#acceptor = await Acceptor.open({
      host,
      port,
      allowHalfOpen: false,
      onConnection: (socket) => void this.#server.emit("connection", socket),
      onCrowded: (socket, reason) => {
        onRefused(reason, socket.remoteAddress ?? "unknown");
        socket.destroy();
      },
      onError: (reason) => onRefused(reason, "unknown"),
      ...onReopened !== undefined && { onReopened },
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
    this.#handshakes.closeAll();
    return Promise.resolve();
  }

  #verify(socket: TLSSocket): void {
    // Never removed: an error without a listener would end the process.
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
      peer = verifyPeer(socket, { authorities, revocation, usage: "clientAuth", mode: "standalone" });
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

/** Several listeners used as one. */
export interface TlsListeners extends Pick<TlsListener, "use" | "close"> {
  /** The addresses that they listen on, in the order of their ports. */
  readonly addresses: readonly TlsListener["address"][];
  /** Pending handshakes of all ports. */
  handshakes(): LimitFigures;
}

/**
 * Listens on several ports, as {@linkcode listenTls} does on one.
 *
 * @throws {SallyportError} When one of the ports is not available; then none stays open.
 */
export async function listenAll(
  ports: readonly number[],
  options: Omit<ListenOptions, "port" | "handshakes">,
): Promise<TlsListeners> {
  const listeners: TlsListener[] = [];
  const { handshakeTimeoutMs: timeoutMs, onRefused } = options;
  const handshakes = new Handshakes({ timeoutMs, onRefused });
  const close = async () => void await Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const port of ports) listeners.push(await listenTls({ ...options, handshakes, port }));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    addresses: listeners.map(({ address }) => address),
    handshakes: () => handshakes.figures(),
    use(identity: Identity) {
      for (const listener of listeners) listener.use(identity);
    },
    close,
  };
}

/** The first Deno whose node:tls refuses peers without a certificate (denoland/deno#33439). */
const FIRST_SAFE = [2, 8];

/**
 * Checks that the runtime requires client certificates.
 *
 * @throws {SallyportError} `internal` on a Deno older than 2.8.
 */
export function requireSafeRuntime(version: string = Deno.version.deno): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [firstMajor = 0, firstMinor = 0] = FIRST_SAFE;
  if (major > firstMajor || major === firstMajor && minor >= firstMinor) return;
  const problem = `it would accept peers without a certificate; use ${FIRST_SAFE.join(".")} or newer`;
  throw new SallyportError("internal", `Cannot listen with Deno ${version}: ${problem}`);
}
