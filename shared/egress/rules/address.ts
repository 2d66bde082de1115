import ipaddr from "ipaddr.js";

/** A parsed address. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Ranges of ipaddr.js that are public: what IANA's registries call globally reachable. */
const PUBLIC_RANGES: ReadonlySet<string> = new Set(["unicast", "as112", "amt", "as112v6"]);

/**
 * Addresses at which clouds hand out credentials, whatever range they lie in: machines, tasks and pods of AWS (and the
 * address of most other clouds), Google over IPv6, Alibaba, Oracle, and Azure's, which looks public.
 */
const METADATA: ReadonlySet<string> = new Set([
  ...["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"],
  ...["fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
]);

/** The only part of IPv6 that is routed on the internet (RFC 4291 section 2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR("2000::/3");
/** NAT64 with a prefix that only the local network knows (RFC 8215): what it embeds is unknown. */
const LOCAL_NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b:1::/48");

/** How an IPv6 prefix embeds IPv4. */
export interface Embedding {
  readonly cidr: [ipaddr.IPv6, number];
  /** Offsets of the IPv4 addresses in the 16 bytes. */
  readonly at: readonly number[];
  /** Offset of one whose bits are inverted. */
  readonly inverted?: number;
}

/** All prefixes that embed IPv4; the first that matches counts, after ISATAP. */
export const EMBEDDINGS: readonly Embedding[] = [
  // IPv4-compatible (RFC 4291 section 2.5.5.1), the unspecified and the loopback address among them.
  { cidr: ipaddr.IPv6.parseCIDR("::/96"), at: [12] },
  // IPv4-translated (RFC 2765 section 2.1).
  { cidr: ipaddr.IPv6.parseCIDR("::ffff:0:0:0/96"), at: [12] },
  // NAT64 (RFC 6052 section 2.1).
  { cidr: ipaddr.IPv6.parseCIDR("64:ff9b::/96"), at: [12] },
  // 6to4 (RFC 3056 section 2).
  { cidr: ipaddr.IPv6.parseCIDR("2002::/16"), at: [2] },
  // Teredo: server, and client with its bits inverted (RFC 4380 section 4).
  { cidr: ipaddr.IPv6.parseCIDR("2001::/32"), at: [4], inverted: 12 },
];

/**
 * Parses an address in the forms that this machine's resolver and sockets use, without brackets. An IPv4-mapped one
 * becomes the IPv4 address that it reaches, and a zone is dropped.
 *
 * @throws Error when the text is not an address.
 */
export function parseAddress(text: string): Address {
  const parsed = ipaddr.parse(text.split("%", 1)[0]!);
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()) return parsed.toIPv4Address();
  return parsed;
}

/** Bytes 8 to 11 of an ISATAP address, under any prefix; before the IPv4 address (RFC 5214 section 6.1). */
export const ISATAP_BYTES: readonly (readonly number[])[] = [[0, 0, 94, 254], [2, 0, 94, 254]];
const ISATAP: readonly string[] = ISATAP_BYTES.map((bytes) => bytes.join());

/** The IPv4 addresses that an IPv6 address embeds, and to which it may lead. */
export function embeddedIPv4(address: Address): ipaddr.IPv4[] {
  if (address instanceof ipaddr.IPv4) return [];
  const bytes = address.toByteArray();
  if (ISATAP.includes(bytes.slice(8, 12).join())) return [new ipaddr.IPv4(bytes.slice(12))];
  const embedding = EMBEDDINGS.find(({ cidr }) => address.match(cidr));
  if (embedding === undefined) return [];
  const found = embedding.at.map((at) => new ipaddr.IPv4(bytes.slice(at, at + 4)));
  const { inverted } = embedding;
  if (inverted !== undefined) {
    found.push(new ipaddr.IPv4(bytes.slice(inverted, inverted + 4).map((byte) => byte ^ 0xff)));
  }
  return found;
}

/** Whether the address is that of a cloud's metadata service, or embeds one. */
export function isMetadata(address: Address): boolean {
  return METADATA.has(address.toString()) || embeddedIPv4(address).some(isMetadata);
}

/** Names of metadata services. */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  ...["metadata", "metadata.goog", "metadata.google.internal"],
  ...["instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com"],
]);

/** Whether a name in normal form is a cloud's name for its metadata service. */
export function isMetadataName(name: string): boolean {
  return METADATA_NAMES.has(name);
}

/** The range for which an address is refused unless a rule allows it; undefined for a public one. */
export function forbiddenRange(address: Address): string | undefined {
  if (isMetadata(address)) return "metadata";
  const range = address.range();
  if (address instanceof ipaddr.IPv4) return PUBLIC_RANGES.has(range) ? undefined : range;
  if (address.match(LOCAL_NAT64)) return "rfc8215";
  if (range === "loopback" || range === "unspecified") return range;
  const embedded = embeddedIPv4(address);
  if (embedded.length > 0) {
    const inner = embedded.map(forbiddenRange).find((found) => found !== undefined);
    return inner === undefined ? undefined : `${range === "unicast" ? "embedded" : range} ${inner}`;
  }
  if (!PUBLIC_RANGES.has(range)) return range;
  return address.match(GLOBAL_UNICAST) ? undefined : "reserved";
}
