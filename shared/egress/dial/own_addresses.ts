import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Clock } from "../../clock.ts";
import { fromOsError, isOutOfDescriptors } from "../../net/os_error.ts";
import { embeddedIPv4, parseAddress } from "../rules/address.ts";

/**
 * Whether a local socket can be bound to an address, which the kernel allows for the machine's own addresses only.
 * Rejects if there is no file descriptor left to try it.
 */
export type CanBind = (address: string) => Promise<boolean>;

/** Options of {@linkcode OwnAddresses}. */
export interface OwnAddressesOptions {
  /** The source of time. */
  readonly clock: Pick<Clock, "now">;
  /** Asks the kernel. @default {binds a UDP socket and closes it} */
  readonly canBind?: CanBind;
}

/** Milliseconds for which a result is cached. A probe costs about as much as a connection on the local network. */
const CACHED_MS = 10_000;
/** Results that are cached. */
const MAX_CACHED = 1_024;
/**
 * Addresses that no machine has: one of class E (RFC 1112 section 4) and one of the discard prefix (RFC 6666). They
 * can be bound only where the kernel lets programs bind any address (`ip_nonlocal_bind`).
 */
const FOREIGN = { 4: "240.0.0.1", 6: "100::1" } as const;

/**
 * Finds out which addresses are this machine's own, without listing its interfaces, which would need another
 * permission. Secondary addresses and routed ranges (AnyIP) count; public addresses that a NAT translates do not.
 */
export class OwnAddresses {
  readonly #clock: Pick<Clock, "now">;
  readonly #canBind: CanBind;
  readonly #known = new Map<string, { readonly at: number; readonly own: Promise<boolean> }>();

  constructor({ clock, canBind = canBindUdp }: OwnAddressesOptions) {
    this.#clock = clock;
    this.#canBind = canBind;
  }

  /**
   * Whether an address, or an IPv4 address that it embeds, is this machine's own. Where the kernel lets programs bind
   * any address, the result is false.
   *
   * @throws {SallyportError} `limit_reached` when no file descriptor is left to find out: the connection would need one too.
   */
  async has(address: string): Promise<boolean> {
    const parsed = parseAddress(address);
    for (const form of [parsed, ...embeddedIPv4(parsed)]) {
      try {
        if (await this.#ask(form.toString())) return true;
      } catch (error) {
        throw fromOsError(error, `find out whether ${address} is this machine's own`);
      }
    }
    return false;
  }

  #ask(address: string): Promise<boolean> {
    const now = this.#clock.now();
    const known = this.#known.get(address);
    if (known !== undefined && now - known.at < CACHED_MS) return known.own;
    // The oldest result is the first: new ones are added at the end.
    this.#known.delete(address);
    if (this.#known.size >= MAX_CACHED) this.#known.delete(this.#known.keys().next().value!);
    const own = this.#probe(address);
    this.#known.set(address, { at: now, own });
    // A probe that failed is repeated next time.
    own.catch(() => this.#known.delete(address));
    return own;
  }

  async #probe(address: string): Promise<boolean> {
    if (!await this.#canBind(address)) return false;
    return !await this.#canBind(FOREIGN[isIPv6(address) ? 6 : 4]);
  }
}

function canBindUdp(address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    socket.once("error", (error) => {
      socket.close();
      if (isOutOfDescriptors(error)) reject(error);
      else resolve(false);
    });
    socket.bind({ address, port: 0, exclusive: true }, () => {
      socket.close();
      resolve(true);
    });
  });
}
