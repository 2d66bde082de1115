import { parseAddress } from "../../shared/egress/rules/address.ts";
import type { OwnPorts } from "../../shared/egress/rules/own_ports.ts";
import type { TargetRule } from "../../shared/egress/rules/rule.ts";
import type { TargetDecision, TargetPolicy } from "../../shared/egress/rules/target_decision.ts";

/** What {@linkcode createDirectPolicy} needs. */
export interface DirectPolicyOptions {
  /** The entry of `block` that covers an address. */
  blockOf(address: string, port: number): TargetRule | undefined;
  /** The agent's own ports: a request to them would loop. */
  readonly ownPorts: OwnPorts;
}

const ALLOWED: TargetDecision = { allowed: true, rule: "bypass", text: "allowed" };
const OWN_PORT: TargetDecision = {
  allowed: false,
  rule: "own port",
  text: "the agent's own ports are refused",
};

/**
 * Creates the policy for targets in `bypass`. Private addresses are allowed, since they are what `bypass` is for; addresses
 * in `block` and the agent's own ports are not, whatever name leads to them.
 *
 * Other services of this machine are allowed: clients run on this machine or have a password, and `bypass` is empty
 * unless the user adds entries.
 */
export function createDirectPolicy({ blockOf, ownPorts }: DirectPolicyOptions): TargetPolicy {
  return {
    judgeName: () => ALLOWED,
    judge(_host, address, port) {
      const rule = blockOf(address, port);
      if (rule !== undefined) {
        const text = `${rule.key} (${rule.text}) of the agent forbids an address of it`;
        return { allowed: false, rule: `block ${rule.text}`, text };
      }
      return ownPorts.isOwn(parseAddress(address), port) ? OWN_PORT : ALLOWED;
    },
    judgeOwn: (_host, _address, port) => ownPorts.has(port) ? OWN_PORT : ALLOWED,
  };
}
