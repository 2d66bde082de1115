import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { SallyportError } from "../errors.ts";
import { fromConnectionError } from "./connection_error.ts";

/** What makes {@linkcode Handshakes}. */
export interface HandshakesOptions {
  /** Milliseconds that each may take. */
  readonly timeoutMs: number;
  /** At once; strangers must not be able to take all the memory. @default 256 */
  readonly limit?: number;
  /** One failed, was too slow, or was one too many. */
  onRefused(reason: SallyportError, remoteAddress: string): void;
}

interface Handshake {
  readonly tcp: Socket;
  readonly remote: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * The TCP connections of a listener that are still in their TLS handshakes. The runtime reports one that takes
 * too long, but leaves it open; here it is cut.
 */
export class Handshakes {
  readonly #options: HandshakesOptions;
  /** By remote address and port, which name a connection at both of its layers. */
  readonly #pending = new Map<string, Handshake>();
  /** Remote addresses of connections whose end nobody was told of yet; a closed socket has none any more. */
  readonly #unreported = new WeakMap<Socket, string>();

  constructor(options: HandshakesOptions) {
    this.#options = options;
  }

  /** How many are under way. */
  get size(): number {
    return this.#pending.size;
  }

  /** A TCP connection was accepted. */
  begin(tcp: Socket): void {
    const { timeoutMs, limit = 256, onRefused } = this.#options;
    const remote = tcp.remoteAddress ?? "unknown";
    const key = keyOf(tcp);
    const cut = (reason: SallyportError) => {
      this.#forget(key, tcp);
      tcp.destroy();
      onRefused(reason, remote);
    };
    if (this.#pending.size >= limit) {
      cut(new SallyportError("limit_reached", `Cannot begin a handshake: ${limit} are under way`));
      return;
    }
    const late = new SallyportError("tunnel_down", `Cannot finish the handshake: ${timeoutMs} ms are over`);
    this.#pending.set(key, { tcp, remote, timer: setTimeout(() => cut(late), timeoutMs) });
    this.#unreported.set(tcp, remote);
    tcp.once("close", () => this.#end(key, tcp));
  }

  /** TLS could not be agreed on. */
  failed(error: Error, socket: TLSSocket): void {
    const tcp = tcpOf(socket);
    const remote = tcp === undefined ? "unknown" : this.#unreported.get(tcp);
    socket.destroy();
    if (remote === undefined) return;
    if (tcp !== undefined) this.#unreported.delete(tcp);
    this.#options.onRefused(fromConnectionError(error, "finish the handshake"), remote);
  }

  /** TLS is agreed on. Returns the remote address; undefined when the handshake was cut meanwhile. */
  finished(socket: TLSSocket): string | undefined {
    const key = keyOf(socket);
    const handshake = this.#pending.get(key);
    if (handshake !== undefined) this.#forget(key, handshake.tcp);
    return handshake?.remote;
  }

  /** Ends all of them. */
  cutAll(): void {
    for (const [key, { tcp }] of this.#pending) {
      this.#forget(key, tcp);
      tcp.destroy();
    }
  }

  #forget(key: string, tcp: Socket): void {
    this.#end(key, tcp);
    this.#unreported.delete(tcp);
  }

  #end(key: string, tcp: Socket): void {
    const handshake = this.#pending.get(key);
    if (handshake?.tcp !== tcp) return;
    clearTimeout(handshake.timer);
    this.#pending.delete(key);
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** The connection beneath; the runtime says in no other way which one it was that failed. */
function tcpOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { _parent?: Socket })._parent;
}
