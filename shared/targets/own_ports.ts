import { type Address, embeddedIPv4 } from "./address.ts";

/** The ports on which this program itself listens. Nobody is sent there, whatever the rules say. */
export class OwnPorts {
  readonly #ports = new Set<number>();

  /** Notes a port once it is known. */
  add(port: number): void {
    this.#ports.add(port);
  }

  /** Whether a target is one of them by its address alone: a loopback or an unspecified one, or one that embeds it. */
  isOwn(address: Address, port: number): boolean {
    return this.#ports.has(port) && [address, ...embeddedIPv4(address)].some(staysHere);
  }

  /** Whether a port is one of them, for a target whose address is known to be this machine's. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }
}

function staysHere(address: Address): boolean {
  const range = address.range();
  return range === "loopback" || range === "unspecified";
}
