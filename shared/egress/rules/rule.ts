import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { SallyportError } from "../../errors.ts";
import type { Address } from "./address.ts";
import { endsInNumber } from "../../net/host_name.ts";
import { normalHostName } from "../../net/host_name.ts";

/** What a rule covers: a range of addresses, or a single one; a name, or all names below it. */
export type Coverage =
  | { readonly kind: "range"; readonly network: Address; readonly prefix: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "below"; readonly name: string };

/** One entry of a list of targets, such as `targets.allow` of the server or `bypass` of the agent. */
export interface TargetRule {
  /** The entry as it was written, for logs. */
  readonly text: string;
  /** The configuration key, such as `targets.deny[0]`. */
  readonly key: string;
  /** What it covers, names in normal form. */
  readonly covers: Coverage;
  /** The only port that it covers; every port where it is undefined. */
  readonly port: number | undefined;
  /** Whether it covers a single address. */
  readonly exact: boolean;
  /** Whether it covers an address. */
  matchesAddress(address: Address, port: number): boolean;
}

/**
 * Reads an entry: an address, a range (`10.0.0.0/8`), a name or a name's subdomains (`*.corp.example`), each
 * with or without a port (`127.0.0.1:9080`, `[::1]:9080`, `[fd00::/8]:443`, `*.corp.example:443`).
 *
 * IPv4 is read in dotted decimal only: an entry such as `0x7f000001` or `127.1` is invalid.
 *
 * @param key The configuration key, for messages.
 * @throws SallyportError `bad_request` for anything else.
 */
export function parseRule(text: string, key: string): TargetRule {
  const parts = split(text.trim());
  const rule = parts && (addressRule(text, key, parts) ?? nameRule(text, key, parts));
  if (rule) return rule;
  throw new SallyportError(
    "bad_request",
    `Cannot read ${key}: current value is ${JSON.stringify(text)}, ` +
      "expected an address (IPv4 as four decimal numbers), a range or a name, with or without a port",
  );
}

interface Parts {
  host: string;
  port: number | undefined;
}

function split(text: string): Parts | undefined {
  if (isIPv6(text.split("/", 1)[0]!)) return { host: text, port: undefined };
  const found = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (found === null) return undefined;
  const port = found[3] === undefined ? undefined : Number(found[3]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  if (found[1] !== undefined && !isIPv6(found[1].split("/", 1)[0]!)) return undefined;
  return { host: found[1] ?? found[2]!, port };
}

function addressRule(text: string, key: string, { host, port }: Parts): TargetRule | undefined {
  const found = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(host);
  if (found === null) return undefined;
  const base = found[1]!;
  const width = isIPv4(base) ? 32 : isIPv6(base) && !base.includes("%") ? 128 : 0;
  const bits = found[2] === undefined ? width : Number(found[2]);
  if (width === 0 || bits > width) return undefined;
  const [network, prefix] = withoutMapping(ipaddr.parse(base), bits);
  return {
    ...{ text, key, port, covers: { kind: "range", network, prefix } },
    exact: bits === width,
    matchesAddress: (address, to) =>
      (port === undefined || port === to) && address.kind() === network.kind() &&
      address.match(network, prefix),
  };
}

/** Addresses are compared after unmapping (`::ffff:10.0.0.1`), so rules are unmapped too. */
function withoutMapping(network: Address, bits: number): [Address, number] {
  if (network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= 96) {
    return [network.toIPv4Address(), bits - 96];
  }
  return [network, bits];
}

function nameRule(text: string, key: string, { host, port }: Parts): TargetRule | undefined {
  const wild = host.startsWith("*.");
  const name = normalHostName(wild ? host.slice(2) : host);
  // Such hosts are read as addresses, so that no name would ever match the rule.
  if (name === undefined || endsInNumber(name)) return undefined;
  return {
    ...{ text, key, port, covers: { kind: wild ? "below" : "name", name } },
    exact: false,
    matchesAddress: () => false,
  };
}
