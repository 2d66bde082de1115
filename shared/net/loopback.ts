import ipaddr from "ipaddr.js";

/** Tells whether only this machine reaches an IP address: 127.0.0.0/8 or ::1, in whatever form. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";
}
