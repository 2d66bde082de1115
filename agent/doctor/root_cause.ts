import type { Diagnosis } from "./diagnosis.ts";
import type { ProblemName } from "./problems.ts";
import type { ProblemFinding } from "./step.ts";

/** How long a signed call is valid, in milliseconds (shared/cloud/call.ts): a clock may be off by less. */
const CALL_LIFETIME = 60_000;

/** Problems of the control site, which is reached through the proxy where there is one. */
const CONTROL_PROBLEMS: readonly ProblemName[] = ["network", "captive_portal"];
/** Problems that a missing network also causes. */
const WITHOUT_NETWORK: readonly ProblemName[] = ["dns", "silent", "unreachable", "wake_unreachable"];
/** Problems that a network which answers for every site also causes. */
const BEHIND_PORTAL: readonly ProblemName[] = [
  ...WITHOUT_NETWORK,
  "refused",
  "reset",
  "not_tls",
  "interception",
  "server_certificate",
  "not_accepted",
];

/** Findings of earlier steps that may explain a problem. */
export type RootCauseContext = Pick<Diagnosis, "clockAheadMs" | "controlProblem" | "proxyProblem">;

/**
 * Names the step whose problem caused another one: without a network or with a wrong clock, things look broken that
 * are not.
 *
 * @returns undefined if the problem is its own cause.
 */
export function rootCauseOf(
  { problem, validity }: ProblemFinding,
  { clockAheadMs = 0, controlProblem, proxyProblem }: RootCauseContext,
  now: number = Date.now(),
): "proxy" | "control" | "clock" | undefined {
  if (proxyProblem !== undefined && CONTROL_PROBLEMS.includes(problem)) return "proxy";
  if (controlProblem === "network" && WITHOUT_NETWORK.includes(problem)) return "control";
  if (controlProblem === "captive_portal" && BEHIND_PORTAL.includes(problem)) return "control";
  if (problem === "wake_refused" && Math.abs(clockAheadMs) >= CALL_LIFETIME) return "clock";
  if (validity === undefined || clockAheadMs === 0) return undefined;
  const actual = new Date(now - clockAheadMs);
  return actual >= validity.from && actual <= validity.until ? "clock" : undefined;
}
