import { quote } from "../../shared/text/sanitize.ts";
import { SallyportError } from "../../shared/errors.ts";
import { embeddedIPv4, parseAddress } from "../../shared/egress/rules/address.ts";
import { readHost } from "../../shared/egress/rules/host.ts";
import { RuleList } from "../../shared/egress/rules/rule_list.ts";
import type { TargetRule } from "../../shared/egress/rules/rule.ts";

/** The route of a request. */
export type Route =
  /** Through the server. */
  | { readonly to: "tunnel" }
  /** From this machine to the target. */
  | { readonly to: "direct" }
  /** Nowhere: an entry of `block` covers it. */
  | { readonly to: "nowhere"; readonly rule: TargetRule };

const TUNNEL: Route = { to: "tunnel" };
const DIRECT: Route = { to: "direct" };

/** Lists of targets, as in the configuration. */
export interface RoutesOptions {
  /** Targets that are reached without the tunnel. */
  readonly bypass: readonly string[];
  /** Targets that are refused; wins over `bypass`. */
  readonly block: readonly string[];
}

/**
 * Decides the route of each request, without looking up names: a DNS query would tell the network what the tunnel hides.
 * So entries with addresses apply to requests for addresses, and entries with names to requests for names. Only names
 * that are reached directly are looked up, and then `block` also applies to their addresses.
 */
export class Routes {
  readonly bypass: RuleList;
  readonly block: RuleList;

  /** @throws SallyportError `bad_request` for an invalid entry. */
  constructor({ bypass, block }: RoutesOptions) {
    this.bypass = new RuleList(bypass, "bypass");
    this.block = new RuleList(block, "block");
  }

  /**
   * The route for `host`, in any spelling: what the server's resolver or sockets would accept as an address or as
   * another spelling of a name is read the same way here.
   *
   * @throws SallyportError `bad_request` for an invalid host, if there are rules.
   */
  of(host: string, port: number): Route {
    if (this.bypass.rules.length + this.block.rules.length === 0) return TUNNEL;
    const read = readHost(host);
    if (read === undefined) throw notAHost(host);
    if (read.kind === "address") return this.#ofAddress(read.text, port);
    const rule = this.block.byName(read.text, port);
    if (rule !== undefined) return { to: "nowhere", rule };
    return this.bypass.byName(read.text, port) === undefined ? TUNNEL : DIRECT;
  }

  /** The entry of `block` that matches an address or an embedded IPv4 address. */
  blockOf(address: string, port: number): TargetRule | undefined {
    const parsed = parseAddress(address);
    return this.block.byAddress([parsed, ...embeddedIPv4(parsed)], port);
  }

  #ofAddress(address: string, port: number): Route {
    const rule = this.blockOf(address, port);
    if (rule !== undefined) return { to: "nowhere", rule };
    return this.bypass.byAddress([parseAddress(address)], port) === undefined ? TUNNEL : DIRECT;
  }
}

function notAHost(host: string): SallyportError {
  return new SallyportError(
    "bad_request",
    `Cannot connect to ${quote(host)}: not a host name or IP address`,
  );
}
