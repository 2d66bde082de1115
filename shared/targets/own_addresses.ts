import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Clock } from "../clock.ts";
import { fromOsError } from "../net/os_error.ts";
import { embeddedIPv4, parseAddress } from "./address.ts";

/**
 * Whether a local socket can be bound to an address, which the kernel grants for the machine's own addresses only.
 * Rejects when it cannot be tried, because no descriptor is left.
 */
export type CanBind = (address: string) => Promise<boolean>;

/** What makes {@linkcode OwnAddresses}. */
export interface OwnAddressesOptions {
  /** Where time comes from. */
  readonly clock: Pick<Clock, "now">;
  /** Asks the kernel. @default a UDP socket, bound and closed */
  readonly canBind?: CanBind;
}

/** Milliseconds for which an answer is kept. A probe costs about as much as a connection on the local network. */
const KEPT = 10_000;
/** Answers that are kept. */
const MAX_KEPT = 1_024;
/**
 * Addresses that no machine has: one of class E (RFC 1112 section 4) and one of the discard prefix (RFC 6666). They
 * can be bound only where the kernel lets programs bind any address (`ip_nonlocal_bind`).
 */
const FOREIGN = { 4: "240.0.0.1", 6: "100::1" } as const;

/**
 * Tells which addresses are this machine's own, without a list of its interfaces, which would need a permission of
 * its own. Secondary addresses and routed ranges (AnyIP) count; public addresses that a NAT translates do not.
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
   * any address, the answer is false.
   *
   * @throws {SallyportError} `limit_reached` when no descriptor is left to find out: the connection would need one too.
   */
  async has(address: string): Promise<boolean> {
    const parsed = parseAddress(address);
    for (const form of [parsed, ...embeddedIPv4(parsed)]) {
      try {
        if (await this.#ask(form.toString())) return true;
      } catch (error) {
        throw fromOsError(error, `tell whether ${address} is this machine's own`);
      }
    }
    return false;
  }

  #ask(address: string): Promise<boolean> {
    const now = this.#clock.now();
    const known = this.#known.get(address);
    if (known !== undefined && now - known.at < KEPT) return known.own;
    // The oldest answer is the first: those that are replaced go to the end.
    this.#known.delete(address);
    if (this.#known.size >= MAX_KEPT) this.#known.delete(this.#known.keys().next().value!);
    const own = this.#probe(address);
    this.#known.set(address, { at: now, own });
    // What could not be found out is asked again.
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
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      if (error.code === "EMFILE" || error.code === "ENFILE") reject(error);
      else resolve(false);
    });
    socket.bind({ address, port: 0, exclusive: true }, () => {
      socket.close();
      resolve(true);
    });
  });
}
