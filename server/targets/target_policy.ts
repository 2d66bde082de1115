import {
  type Address,
  embeddedIPv4,
  forbiddenRange,
  isMetadata,
  isMetadataName,
  parseAddress,
} from "../../shared/egress/rules/address.ts";
import { normalHostName } from "../../shared/net/host_name.ts";
import type { OwnPorts } from "../../shared/egress/rules/own_ports.ts";
import type { TargetRule } from "../../shared/egress/rules/rule.ts";
import { RuleList } from "../../shared/egress/rules/rule_list.ts";
import type { TargetDecision, TargetPolicy } from "../../shared/egress/rules/target_decision.ts";

/** The configuration's `targets`. */
export interface TargetPolicyOptions {
  /** Non-public targets that may be dialled. @default [] */
  allow?: readonly string[];
  /** Targets that may never be dialled. @default [] */
  deny?: readonly string[];
  /** Ports of the server itself, which no rule opens. @default {none} */
  ownPorts?: OwnPorts;
}

/** Why a target is refused, as the client sees it. */
const TEXTS = {
  deny: "targets.deny on the server forbids it",
  default: "private and other non-public addresses are refused by default",
} as const;

/**
 * Makes a policy. By default every public address is allowed and everything else refused: private, loopback,
 * link-local, shared (CGNAT), multicast, broadcast, reserved, unique-local and metadata addresses, and IPv6 forms
 * that embed such an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP).
 *
 * An allowed name opens the addresses that it resolves to, an allowed range those within it, but neither opens a
 * metadata service: that takes an entry with its exact address. `deny` wins over `allow`, also for the IPv4 address
 * that an IPv6 address embeds. The server's own addresses, public ones included, are refused unless `allow` covers them
 * or names the host: services behind the machine's firewall listen there. Nothing opens the server's own ports.
 *
 * @throws SallyportError `bad_request` for an entry that cannot be read.
 */
export function createTargetPolicy(options: TargetPolicyOptions = {}): TargetPolicy {
  const allow = new RuleList(options.allow ?? [], "targets.allow");
  const deny = new RuleList(options.deny ?? [], "targets.deny");
  const { ownPorts } = options;

  const judgeName = (host: string, port: number): TargetDecision => {
    const rule = deny.byName(host, port);
    if (rule) return refused("deny", rule.text);
    const name = normalHostName(host);
    const hidden = name !== undefined && isMetadataName(name) && !allow.byName(host, port);
    return hidden ? refused("default", "metadata") : allowed("default name");
  };

  const judge = (host: string, address: string, port: number): TargetDecision => {
    const byName = judgeName(host, port);
    if (!byName.allowed) return byName;
    const parsed = parsedOrUndefined(address);
    if (parsed === undefined) return refused("default", "unreadable");
    const denied = deny.byAddress([parsed, ...embeddedIPv4(parsed)], port);
    if (denied) return refused("deny", denied.text);
    if (ownPorts?.isOwn(parsed, port)) return OWN_PORT;
    const granted = findGrant(allow, parsed, host, port);
    if (granted) return allowed(`allow ${granted.text}`);
    const range = forbiddenRange(parsed);
    return range === undefined ? allowed("default public") : refused("default", range);
  };

  const judgeOwn = (host: string, address: string, port: number): TargetDecision => {
    if (ownPorts?.has(port)) return OWN_PORT;
    const parsed = parsedOrUndefined(address);
    const granted = parsed && findGrant(allow, parsed, host, port);
    return granted ? allowed(`allow ${granted.text}`) : OWN_ADDRESS;
  };

  return { judgeName, judge, judgeOwn };
}

const OWN_PORT: TargetDecision = {
  allowed: false,
  rule: "own port",
  text: "the server's own ports are refused",
};
const OWN_ADDRESS: TargetDecision = {
  allowed: false,
  rule: "own address",
  text: "the server's own addresses are refused by default",
};

function allowed(rule: string): TargetDecision {
  return { allowed: true, rule, text: "allowed" };
}

function refused(kind: keyof typeof TEXTS, what: string): TargetDecision {
  return { allowed: false, rule: `${kind} ${what}`, text: TEXTS[kind] };
}

/** A metadata service is opened only by its exact address. */
function findGrant(allow: RuleList, address: Address, host: string, port: number): TargetRule | undefined {
  if (!isMetadata(address)) return allow.byAddress([address], port) ?? allow.byName(host, port);
  return allow.rules.find((rule) => rule.exact && rule.matchesAddress(address, port));
}

function parsedOrUndefined(address: string): Address | undefined {
  try {
    return parseAddress(address);
  } catch {
    return undefined;
  }
}
