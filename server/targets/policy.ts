import { type Address, embeddedIPv4, forbiddenRange, isMetadata, parseAddress } from "./address.ts";
import { normalName } from "./name.ts";
import { parseRule, type TargetRule } from "./rule.ts";

/** Whether a target may be dialled. */
export interface Verdict {
  /** Whether it may. */
  readonly allowed: boolean;
  /**
   * What decided: `"deny 10.0.0.0/8"`, `"allow *.corp.example"`, `"default private"`, `"default public"`. For
   * the server's own logs: it tells about the network and must not travel to the client.
   */
  readonly rule: string;
  /** What the client may read: it says nothing of addresses and ranges. */
  readonly text: string;
}

/** Says which targets may be dialled. */
export interface TargetPolicy {
  /** Judges what the client asked for before it is resolved: only `targets.deny` can refuse here. */
  judgeName(host: string, port: number): Verdict;
  /** Judges one address to which `host` leads; `host` may be that address itself. */
  judge(host: string, address: string, port: number): Verdict;
}

/** The configuration's `targets`. */
export interface TargetPolicyOptions {
  /** Targets that may be dialled though they are not public. @default [] */
  allow?: readonly string[];
  /** Targets that may not be dialled, whatever else is said. @default [] */
  deny?: readonly string[];
}

/**
 * Makes a policy. By default every public address is allowed and everything else refused: private, loopback,
 * link-local, shared (CGNAT), multicast, broadcast, reserved, unique-local and metadata addresses, and IPv6 forms
 * that embed such an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo).
 *
 * An allowed name opens the addresses that it leads to, but not the metadata services: those take an entry with
 * their address. `deny` wins over `allow`, and over what an address embeds too.
 *
 * @throws SallyportError `bad_request` for an entry that cannot be read.
 */
export function createTargetPolicy(options: TargetPolicyOptions = {}): TargetPolicy {
  const allow = (options.allow ?? []).map((text, i) => parseRule(text, `targets.allow[${i}]`));
  const deny = (options.deny ?? []).map((text, i) => parseRule(text, `targets.deny[${i}]`));

  const judgeName = (host: string, port: number): Verdict => {
    const rule = findByName(deny, host, port);
    return rule ? refused(`deny ${rule.text}`) : allowed("default name");
  };

  const judge = (host: string, address: string, port: number): Verdict => {
    const byName = judgeName(host, port);
    if (!byName.allowed) return byName;
    const parsed = parsedOrUndefined(address);
    if (parsed === undefined) return refused("default unreadable");
    const denied = findByAddress(deny, [parsed, ...embeddedIPv4(parsed)], port);
    if (denied) return refused(`deny ${denied.text}`);
    const named = isMetadata(parsed) ? undefined : findByName(allow, host, port);
    const granted = findByAddress(allow, [parsed], port) ?? named;
    if (granted) return allowed(`allow ${granted.text}`);
    const range = forbiddenRange(parsed);
    return range === undefined ? allowed("default public") : refused(`default ${range}`);
  };

  return { judgeName, judge };
}

function allowed(rule: string): Verdict {
  return { allowed: true, rule, text: "allowed" };
}

function refused(rule: string): Verdict {
  return { allowed: false, rule, text: "the server's rules forbid this target" };
}

function findByName(rules: readonly TargetRule[], host: string, port: number): TargetRule | undefined {
  const name = normalName(host);
  return name === undefined ? undefined : rules.find((rule) => rule.matchesName(name, port));
}

function findByAddress(rules: readonly TargetRule[], forms: Address[], port: number): TargetRule | undefined {
  return rules.find((rule) => forms.some((form) => rule.matchesAddress(form, port)));
}

function parsedOrUndefined(address: string): Address | undefined {
  try {
    return parseAddress(address);
  } catch {
    return undefined;
  }
}
