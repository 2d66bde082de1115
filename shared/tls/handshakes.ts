import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { CancelTimer, Clock } from "../clock.ts";
import { SallyportError } from "../errors.ts";
import { type LimitFigures, SharedLimit } from "../limits/shared_limit.ts";
import { addressBlock } from "../net/ip_address.ts";
import { systemClock } from "../system_clock.ts";
import { fromConnectionError } from "../net/connection_error.ts";

/** Milliseconds after which a handshake may be evicted for another: a normal one takes a few round trips. */
const EVICTABLE_AFTER_MS = 1_000;

/** Options of {@linkcode Handshakes}. */
export interface HandshakesOptions {
  /** Milliseconds for each handshake. */
  readonly timeoutMs: number;
  /** Pending handshakes at most; unknown peers must not be able to take all memory. @default 256 */
  readonly limit?: number;
  /** @default {the machine's clock} */
  readonly clock?: Clock;
  /** Called when a handshake failed, timed out, exceeded the limit or was evicted. */
  onRefused(reason: SallyportError, remoteAddress: string): void;
}

interface Handshake {
  readonly key: string;
  readonly tcp: Socket;
  readonly remote: string;
  readonly began: number;
  readonly cancel: CancelTimer;
}

/**
 * Pending TLS handshakes of one or several listeners. The runtime reports a handshake that takes too long, but leaves its
 * connection open; here it is closed.
 *
 * At the limit, the oldest handshake of the address (the /64 in IPv6) with the most is evicted, so that a peer that
 * connects and sends nothing does not block others. The address with the most only evicts its own that are older than a
 * second: agents behind one NAT do not evict each other while their handshakes progress.
 */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #clock: Clock;
  readonly #limit: SharedLimit<Handshake>;
  /** By both addresses and ports, which identify a connection at the TCP and the TLS layer. */
  readonly #pending = new Map<string, Handshake>();
  /** Remote addresses of connections whose end is not yet reported; a closed socket no longer has one. */
  readonly #unreported = new WeakMap<Socket, string>();

  constructor(options: HandshakesOptions) {
    this.#options = options;
    const { limit = 256, clock = systemClock } = options;
    this.#clock = clock;
    this.#limit = new SharedLimit({
      total: limit,
      whenFull: "evict",
      cost: ({ began }) => clock.now() - began >= EVICTABLE_AFTER_MS ? 0 : 1,
      evict: (handshake) => {
        const reason = `${limit} are pending, and its address has the most`;
        this.#close(handshake, new SallyportError("limit_reached", `Cannot finish the handshake: ${reason}`));
      },
    });
  }

  /** Number of pending handshakes. */
  get size(): number {
    return this.#pending.size;
  }

  /** Numbers of pending and refused handshakes, for metrics. */
  figures(): LimitFigures {
    return this.#limit.figures();
  }

  /** Adds an accepted TCP connection. */
  begin(tcp: Socket): void {
    const { timeoutMs, limit = 256 } = this.#options;
    const remote = tcp.remoteAddress ?? "unknown";
    const key = keyOf(tcp);
    const late = new SallyportError(
      "tunnel_down",
      `Cannot finish the handshake: not finished in ${timeoutMs} ms`,
    );
    const cancel = this.#clock.after(timeoutMs, () => this.#close(handshake, late));
    const handshake: Handshake = { key, tcp, remote, began: this.#clock.now(), cancel };
    if (!this.#limit.take(addressBlock(remote), handshake)) {
      cancel();
      const full = `Cannot begin a handshake: ${limit} are pending`;
      return this.#close(handshake, new SallyportError("limit_reached", full));
    }
    this.#pending.set(key, handshake);
    this.#unreported.set(tcp, remote);
    tcp.once("close", () => this.#end(key, tcp));
  }

  /** Removes a failed handshake and reports it. */
  failed(error: Error, socket: TLSSocket): void {
    const tcp = tcpOf(socket);
    const remote = tcp === undefined ? "unknown" : this.#unreported.get(tcp);
    socket.destroy();
    if (remote === undefined) return;
    if (tcp !== undefined) this.#unreported.delete(tcp);
    this.#options.onRefused(fromConnectionError(error, "finish the handshake"), remote);
  }

  /** Removes a finished handshake. Returns the remote address; undefined when the handshake was closed meanwhile. */
  finished(socket: TLSSocket): string | undefined {
    const key = keyOf(socket);
    const handshake = this.#pending.get(key);
    if (handshake !== undefined) this.#forget(key, handshake.tcp);
    return handshake?.remote;
  }

  /** Closes all pending handshakes. */
  closeAll(): void {
    for (const [key, { tcp }] of this.#pending) {
      this.#forget(key, tcp);
      tcp.destroy();
    }
  }

  #close({ key, tcp, remote }: Handshake, reason: SallyportError): void {
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
    handshake.cancel();
    this.#limit.release(handshake);
    this.#pending.delete(key);
  }
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** The TCP connection of a TLS socket; the runtime does not identify a failed one in any other way. */
function tcpOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { _parent?: Socket })._parent;
}
