import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import { parseAddress } from "./address.ts";
import { endsInNumber, normalHostName } from "../../net/host_name.ts";

/** What a client asked for: an address, which is dialled as it is, or a name, which has to be resolved. */
export interface Host {
  readonly kind: "address" | "name";
  /** The canonical form, in which it is checked, resolved and dialled. */
  readonly text: string;
}

/**
 * Reads a host. IPv4 addresses may be written in every form that `inet_aton` accepts: decimal (`2130706433`), octal
 * (`0177.0.0.1`), hex (`0x7f.1`), short (`127.1`), with a final dot, in digits of other scripts. They are distinguished
 * from names here, so that no resolver decides what they mean.
 *
 * @returns undefined for anything else: a zone (`fe80::1%eth0`), which names a link of the server; brackets, percent
 * signs, blanks and control characters; an empty label or one longer than 63 characters; a name longer than 253.
 */
export function readHost(host: string): Host | undefined {
  if (isIP(host) !== 0) return host.includes("%") ? undefined : address(host);
  const name = normalHostName(host);
  if (name === undefined) return undefined;
  if (!endsInNumber(name)) return { kind: "name", text: name };
  return isIPv4(name) || ipaddr.IPv4.isValid(name) ? address(name) : undefined;
}

function address(text: string): Host {
  return { kind: "address", text: parseAddress(text).toString() };
}
