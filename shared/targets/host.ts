import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import { parseAddress } from "./address.ts";
import { endsInNumber } from "./ends_in_number.ts";
import { normalName } from "./name.ts";

/** What a client named: an address, which is dialled as it is, or a name, which has to be resolved. */
export interface Host {
  readonly kind: "address" | "name";
  /** The one form in which it is judged, resolved and dialled. */
  readonly text: string;
}

/**
 * Reads a host. IPv4 addresses may be written in every form that sockets of old take: in decimal
 * (`2130706433`), octal (`0177.0.0.1`), hex (`0x7f.1`), short (`127.1`), with a final dot, in other scripts'
 * digits. They are told from names here, so that no resolver has a say in what they mean.
 *
 * @returns undefined for what is neither: a zone (`fe80::1%eth0`) names a link of the server's, which is no
 * client's affair; brackets, percent signs, blanks and control characters are in no name; no label is empty or
 * longer than 63 characters, and no name longer than 253.
 */
export function readHost(host: string): Host | undefined {
  if (isIP(host) !== 0) return host.includes("%") ? undefined : address(host);
  const name = normalName(host);
  if (name === undefined) return undefined;
  if (!endsInNumber(name)) return { kind: "name", text: name };
  return isIPv4(name) || ipaddr.IPv4.isValid(name) ? address(name) : undefined;
}

function address(text: string): Host {
  return { kind: "address", text: parseAddress(text).toString() };
}
