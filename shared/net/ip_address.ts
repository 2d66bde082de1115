import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** Bits of an IPv6 network prefix; a host chooses the others (RFC 4291 section 2.5.1). */
const NETWORK_BITS = 64;

/**
 * The block of addresses that one host can use, as a key to count it by: an IPv4 address, or the /64 of an IPv6
 * address. Text that is not an address is its own key.
 *
 * @param remote The address of a socket. @default {"unknown", as for a closed socket}
 */
export function addressBlock(remote = "unknown"): string {
  if (!isIPv6(remote)) return remote;
  const address = ipaddr.IPv6.parse(remote);
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  const network = address.toByteArray().slice(0, NETWORK_BITS / 8);
  return `${ipaddr.fromByteArray([...network, ...Array(8).fill(0)])}/${NETWORK_BITS}`;
}

/** Whether an IP address is loopback: 127.0.0.0/8 or ::1, in any form. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}

/** Whether a host, as in a URL, is `localhost` or a loopback address. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || isLoopback(hostname.replace(/^\[|\]$/g, ""));
}
