import ipaddr from "ipaddr.js";
import type { AlternativeNames } from "./certificate_fields.ts";

/** The names that a host can have. */
type HostNames = Pick<AlternativeNames, "dns" | "addresses">;

/**
 * Tells whether a certificate is for a server of this name or address (RFC 9525 section 6). Only alternative
 * names count, the common name does not; `*` stands for one whole label, the first.
 */
export function carriesName(names: HostNames, serverName: string): boolean {
  if (ipaddr.isValid(serverName)) {
    const bytes = new Uint8Array(ipaddr.parse(serverName).toByteArray()).toHex();
    return names.addresses.includes(bytes);
  }
  const wanted = normal(serverName);
  const parent = wanted.slice(wanted.indexOf("."));
  return names.dns.map(normal).some((name) =>
    name === wanted || name.startsWith("*.") && wanted.includes(".") && name.slice(1) === parent
  );
}

/** Lists the names for messages. */
export function shownNames({ dns, addresses }: HostNames): string {
  const all = [...dns, ...addresses.map(shownAddress)].map((name) => JSON.stringify(name));
  return all.length === 0 ? "no alternative name at all" : all.join(", ");
}

function shownAddress(hex: string): string {
  const bytes = [...Uint8Array.fromHex(hex)];
  return bytes.length === 4 || bytes.length === 16 ? ipaddr.fromByteArray(bytes).toString() : hex;
}

/** Case does not matter, nor does the dot at the end. */
function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
