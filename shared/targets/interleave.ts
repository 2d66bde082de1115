import { isIPv6 } from "node:net";

/**
 * Orders addresses for dialling (RFC 8305 section 4): the families in turn, beginning with that of the first
 * address, each family in the order in which it came.
 */
export function interleave(addresses: readonly string[]): string[] {
  const first = addresses.length > 0 && isIPv6(addresses[0]!);
  const same = addresses.filter((address) => isIPv6(address) === first);
  const other = addresses.filter((address) => isIPv6(address) !== first);
  const ordered: string[] = [];
  for (let i = 0; i < Math.max(same.length, other.length); i++) {
    if (i < same.length) ordered.push(same[i]!);
    if (i < other.length) ordered.push(other[i]!);
  }
  return ordered;
}
