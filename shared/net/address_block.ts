import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** Bits of an IPv6 address that tell one network from another; a host chooses the others (RFC 4291 section 2.5.1). */
const NETWORK_BITS = 64;

/**
 * The addresses that one host may use at will, as a key to count it by: an IPv4 address, or the /64 of an IPv6
 * address. A text that is no address is its own key.
 *
 * @param remote The address of a socket. @default "unknown", as for a socket that is closed
 */
export function addressBlock(remote = "unknown"): string {
  if (!isIPv6(remote)) return remote;
  const address = ipaddr.IPv6.parse(remote);
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  const network = address.toByteArray().slice(0, NETWORK_BITS / 8);
  return `${ipaddr.fromByteArray([...network, ...Array(8).fill(0)])}/${NETWORK_BITS}`;
}
