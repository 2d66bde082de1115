import type { Socket } from "node:net";
import { type Address, embeddedIPv4, parseAddress } from "./address.ts";

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

  /**
   * Whether a connection led to one of them. Which addresses the machine has cannot be told beforehand, but a
   * connection that never left it has the same address at both ends.
   */
  isReached(socket: Pick<Socket, "localAddress" | "remoteAddress">, port: number): boolean {
    const { localAddress, remoteAddress } = socket;
    if (!this.#ports.has(port) || localAddress === undefined || remoteAddress === undefined) return false;
    return parseAddress(localAddress).toString() === parseAddress(remoteAddress).toString();
  }
}

function staysHere(address: Address): boolean {
  const range = address.range();
  return range === "loopback" || range === "unspecified";
}
