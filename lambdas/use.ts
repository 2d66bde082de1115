import type { UseReport } from "./aws/activity.ts";
import type { FleetAge } from "./aws/fleet.ts";

/** Whether Kill may stop the servers, and why or why not. */
export type UseVerdict =
  | { readonly stop: true; readonly reason: string }
  /** `in_use`: other agents use them, or may be about to. `unavailable`: what they reported does not tell. */
  | { readonly stop: false; readonly code: "in_use" | "unavailable"; readonly reason: string };

/** What decides whether servers are in use. */
export interface UseQuestion {
  readonly fleet: FleetAge;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How late figures may be, in milliseconds. */
  readonly delay: number;
  /** How old the newest report may be, in milliseconds. */
  readonly maxAge: number;
  /** `clientNumber` of the caller's certificate. */
  readonly caller: number;
  /** What the servers reported, not longer ago than a figure may be old. Not asked when no server is wanted. */
  readReports(): Promise<readonly UseReport[]>;
}

/**
 * Decides whether servers may be stopped for a caller: only when the newest report says that no agent is connected,
 * or one agent, which is the caller. Doubt leaves them running, since Sleep stops them anyway.
 *
 * A server younger than `delay` is in use, whoever is connected: the agent that woke it may not have connected yet, or
 * not be in the figures.
 *
 * A server reports at once when agents come or go. With several servers each has to say so, and since reports do not
 * tell servers apart, everything that was reported counts.
 */
export async function judgeUse(question: UseQuestion): Promise<UseVerdict> {
  const { fleet: { desired, running, youngest }, now, delay, maxAge, caller, readReports } = question;
  if (desired === 0) return { stop: true, reason: "no server is wanted" };
  if (youngest === undefined) return unknown("when the servers started is not known");
  const reports = (await readReports()).filter(({ at }) => at >= youngest.getTime())
    .sort((a, b) => b.at - a.at);
  const [newest] = reports;
  if (newest === undefined) return unknown("the servers reported nothing to CloudWatch of late");
  if (now - newest.at > maxAge) {
    return unknown(`the servers' newest report is ${Math.round((now - newest.at) / 1000)} s old`);
  }
  const isOne = Math.max(desired, running) === 1;
  const counted = isOne ? [newest] : reports;
  const agents = Math.max(...counted.map((report) => report.agents));
  if (agents > 1) return inUse(`${agents} agents are connected`);
  const other = counted.find((report) => report.agents === 1 && report.onlyClient !== caller);
  if (other !== undefined) return inUse("1 agent is connected, which is not the caller");
  const age = now - youngest.getTime();
  if (age < delay) {
    return inUse(`0 other agents are connected, but a server is only ${Math.round(age / 1000)} s old`);
  }
  return { stop: true, reason: agents === 0 ? "no agent is connected" : "only the caller is connected" };
}

function inUse(reason: string): UseVerdict {
  return { stop: false, code: "in_use", reason };
}

function unknown(reason: string): UseVerdict {
  return { stop: false, code: "unavailable", reason };
}
