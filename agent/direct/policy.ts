import { parseAddress } from "../../shared/targets/address.ts";
import type { OwnPorts } from "../../shared/targets/own_ports.ts";
import type { TargetRule } from "../../shared/targets/rule.ts";
import type { TargetPolicy, Verdict } from "../../shared/targets/target_policy.ts";

/** What makes a policy of what may be dialled directly. */
export interface DirectPolicyOptions {
  /** The entry of `block` that covers an address. */
  blockOf(address: string, port: number): TargetRule | undefined;
  /** The agent's own ports: through them a request could be made to run in a circle. */
  readonly ownPorts: OwnPorts;
}

const ALLOWED: Verdict = { allowed: true, rule: "bypass", text: "allowed" };
const OWN_PORT: Verdict = {
  allowed: false,
  rule: "own port",
  text: "the agent's own ports are refused",
};

/**
 * Makes the policy for targets that `bypass` names, which may be anywhere: private addresses are what it is for. But
 * no name leads to what `block` forbids, and none to the agent itself.
 *
 * Other services of this machine are open, on whatever address: whoever may use the proxy runs on this machine or
 * was given a password, and `bypass` names nothing unless the user says so.
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
