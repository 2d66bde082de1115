import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";
import { type LimitFigures, SharedLimit } from "../limits/shared_limit.ts";
import { addressBlock } from "../net/address_block.ts";
import { systemClock } from "../system_clock.ts";
import { fromConnectionError } from "./connection_error.ts";

/** Milliseconds after which a handshake may be cut for another one: an honest one takes a few round trips. */
const PATIENCE = 1_000;

/** What makes {@linkcode Handshakes}. */
export interface HandshakesOptions {
  /** Milliseconds that each may take. */
  readonly timeoutMs: number;
  /** At once; strangers must not be able to take all the memory. @default 256 */
  readonly limit?: number;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** One failed, was too slow, was one too many, or had to give way to another. */
  onRefused(reason: SallyportError, remoteAddress: string): void;
}

interface Handshake {
  readonly key: string;
  readonly tcp: Socket;
  readonly remote: string;
  readonly began: number;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * The TCP connections of one or several listeners that are still in their TLS handshakes. The runtime reports one that takes
 * too long, but leaves it open; here it is cut.
 *
 * When there are too many, the oldest of the address (the /64 in IPv6) that has the most is cut, so that a stranger
 * who connects and says nothing keeps nobody else out. An address that has the most itself replaces its own that
 * are older than a second: agents behind one NAT do not cut each other while all of them go on.
 */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #clock: Clock;
  readonly #limit: SharedLimit<Handshake>;
  /** By both ports and the remote address, which name a connection at both of its layers. */
  readonly #pending = new Map<string, Handshake>();
  /** Remote addresses of connections whose end nobody was told of yet; a closed socket has none any more. */
  readonly #unreported = new WeakMap<Socket, string>();

  constructor(options: HandshakesOptions) {
    this.#options = options;
    const { limit = 256, clock = systemClock } = options;
    this.#clock = clock;
    this.#limit = new SharedLimit({
      total: limit,
      whenFull: "evict",
      cost: ({ began }) => clock.now() - began >= PATIENCE ? 0 : 1,
      evict: (handshake) => {
        const why = `${limit} are under way, and its address has the most`;
        this.#cut(handshake, new SallyportError("limit_reached", `Cannot finish the handshake: ${why}`));
      },
    });
  }

  /** How many are under way. */
  get size(): number {
    return this.#pending.size;
  }

  /** How many are under way and were refused, for metrics. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /** A TCP connection was accepted. */
  begin(tcp: Socket): void {
    const { timeoutMs, limit = 256 } = this.#options;
    const remote = tcp.remoteAddress ?? "unknown";
    const key = keyOf(tcp);
    const late = new SallyportError("tunnel_down", `Cannot finish the handshake: ${timeoutMs} ms are over`);
    const timer = setTimeout(() => this.#cut(handshake, late), timeoutMs);
    const handshake: Handshake = { key, tcp, remote, began: this.#clock.now(), timer };
    if (!this.#limit.take(addressBlock(remote), handshake)) {
      clearTimeout(timer);
      const full = `Cannot begin a handshake: ${limit} are under way`;
      return this.#cut(handshake, new SallyportError("limit_reached", full));
    }
    this.#pending.set(key, handshake);
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

  #cut({ key, tcp, remote }: Handshake, reason: SallyportError): void {
    this.#forget(key, tcp);
    tcp.destroy();
    this.#options.onRefused(reason, remote);
  }

  #forget(key: string, tcp: Socket): void {
    this.#end(key, tcp);
    this.#unreported.delete(tcp);
  }

  #end(key: string, tcp: Socket): void {
    const handshake = this.#pending.get(key);
    if (handshake?.tcp !== tcp) return;
    clearTimeout(handshake.timer);
    this.#limit.release(handshake);
    this.#pending.delete(key);
  }
}

function keyOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}

/** The connection beneath; the runtime says in no other way which one it was that failed. */
function tcpOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { _parent?: Socket })._parent;
}
