import ipaddr from "ipaddr.js";
import { foldHostName } from "../../shared/net/host_name.ts";

/**
 * Whether a list such as `NO_PROXY` names a target, which is then to be reached without a proxy. Its entries,
 * with commas or blanks between, are names (with all names below them, whether or not a dot or `*.` stands before),
 * addresses, ranges such as `10.0.0.0/8`, each with a port if only that is meant, or `*` for everything.
 *
 * @param host Name or address, without brackets.
 */
export function isExempt(list: string, host: string, port: number): boolean {
  const name = foldHostName(host);
  return list.toLowerCase().split(/[\s,]+/).some((entry) => entry !== "" && names(entry, name, port));
}

function names(entry: string, name: string, port: number): boolean {
  if (entry === "*") return true;
  const [, bracketed, plain = "", only] = /^(?:\[([^\]]*)\]|(.*?))(?::(\d+))?$/.exec(entry) ?? [];
  // An IPv6 address without brackets ends like one with a port.
  const isAddress = ipaddr.isValid(entry) || ipaddr.isValidCIDR(entry);
  const what = isAddress ? entry : bracketed ?? plain;
  if (!isAddress && only !== undefined && Number(only) !== port) return false;
  if (ipaddr.isValid(name)) return isWithin(name, what);
  const domain = what.replace(/^\*?\./, "").replace(/\.$/, "");
  return domain !== "" && (name === domain || name.endsWith(`.${domain}`));
}

function isWithin(address: string, what: string): boolean {
  const parsed = ipaddr.process(address);
  if (ipaddr.isValid(what)) return ipaddr.process(what).toString() === parsed.toString();
  if (!ipaddr.isValidCIDR(what)) return false;
  const [range, bits] = ipaddr.parseCIDR(what);
  return range.kind() === parsed.kind() && parsed.match(range, bits);
}
