import { type Address, embeddedIPv4 } from "./address.ts";

/** The ports on which this program listens. They are never a target, whatever the rules say. */
export class OwnPorts {
  readonly #ports = new Set<number>();

  /** Adds a port once it is known. */
  add(port: number): void {
    this.#ports.add(port);
  }

  /** Whether a target is one of them by its address alone: loopback, unspecified, or embedding one of these. */
  isOwn(address: Address, port: number): boolean {
    return this.#ports.has(port) && [address, ...embeddedIPv4(address)].some(staysHere);
  }

  /** Whether a port is one of them, for an address that is known to be this machine's own. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }
}

function staysHere(address: Address): boolean {
  const range = address.range();
  return range === "loopback" || range === "unspecified";
}
