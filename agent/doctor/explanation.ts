import type { Failure } from "./finding.ts";
import type { Found } from "./found.ts";
import type { ProblemName } from "./problems.ts";

/** How wrong a clock may be for calls that are signed, in milliseconds (shared/cloud/call.ts). */
const CALL_LIFETIME = 60_000;

/** What the control site shows, through the proxy where there is one. */
const OF_CONTROL: readonly ProblemName[] = ["network", "captive_portal"];
/** What looks the same where nothing answers at all. */
const WITHOUT_NETWORK: readonly ProblemName[] = ["dns", "silent", "unreachable", "wake_unreachable"];
/** What looks the same where a network answers in place of everybody. */
const BEHIND_PORTAL: readonly ProblemName[] = [
  ...WITHOUT_NETWORK,
  "refused",
  "reset",
  "not_tls",
  "interception",
  "server_certificate",
  "not_accepted",
];

/** What is known of the surroundings of a failure. */
export type Circumstances = Pick<Found, "clockAhead" | "controlProblem" | "proxyProblem">;

/**
 * The step whose failure is the deeper reason of another: things look broken that are not, without a network and with
 * a wrong clock.
 *
 * @returns undefined where a failure stands for itself.
 */
export function explanationOf(
  { problem, validity }: Failure,
  { clockAhead = 0, controlProblem, proxyProblem }: Circumstances,
  now: number = Date.now(),
): "proxy" | "control" | "clock" | undefined {
  if (proxyProblem !== undefined && OF_CONTROL.includes(problem)) return "proxy";
  if (controlProblem === "network" && WITHOUT_NETWORK.includes(problem)) return "control";
  if (controlProblem === "captive_portal" && BEHIND_PORTAL.includes(problem)) return "control";
  if (problem === "wake_refused" && Math.abs(clockAhead) >= CALL_LIFETIME) return "clock";
  if (validity === undefined || clockAhead === 0) return undefined;
  const really = new Date(now - clockAhead);
  return really >= validity.from && really <= validity.until ? "clock" : undefined;
}
