import { SallyportError } from "../../shared/errors.ts";
import { embeddedIPv4, parseAddress } from "../../shared/targets/address.ts";
import { readHost } from "../../shared/targets/host.ts";
import { RuleList } from "../../shared/targets/rule_list.ts";
import type { TargetRule } from "../../shared/targets/rule.ts";

/** Where a request goes. */
export type Route =
  /** To the server. */
  | { readonly to: "tunnel" }
  /** From this machine to the target. */
  | { readonly to: "direct" }
  /** Nowhere: an entry of `block` covers it. */
  | { readonly to: "nowhere"; readonly rule: TargetRule };

const TUNNEL: Route = { to: "tunnel" };
const DIRECT: Route = { to: "direct" };

/** What makes {@linkcode Routes}: lists of targets, as they are written in the configuration. */
export interface RoutesOptions {
  /** Hosts that are reached without the tunnel. */
  readonly bypass: readonly string[];
  /** Hosts that are not reached at all; wins over `bypass`. */
  readonly block: readonly string[];
}

/**
 * Decides where requests go. No name is ever resolved for it: a query would tell the network what the tunnel is
 * there to hide. So an address or a range is about requests that name an address, and a name about those that name
 * it; only what goes directly is resolved, and then `block` judges its addresses too.
 */
export class Routes {
  readonly bypass: RuleList;
  readonly block: RuleList;

  /** @throws SallyportError `bad_request` for an entry that cannot be read. */
  constructor({ bypass, block }: RoutesOptions) {
    this.bypass = new RuleList(bypass, "bypass");
    this.block = new RuleList(block, "block");
  }

  /**
   * Where a request for `host` goes, in whatever way the host is written: the forms that the resolver or sockets
   * of the server would take for an address or another spelling are read the same way there.
   *
   * @throws SallyportError `bad_request` for what is neither a name nor an address, where there are rules.
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

  /** The entry of `block` that covers an address, or an IPv4 address that it embeds. */
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
  const shown = JSON.stringify(host.slice(0, 80));
  return new SallyportError(
    "bad_request",
    `Cannot connect to ${shown}: it is neither a name nor an address`,
  );
}
