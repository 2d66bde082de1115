import type { AgentReport } from "./aws/activity.ts";
import type { FleetAge } from "./aws/fleet.ts";

/** Whether Kill may stop the servers, and why. */
export type UsageDecision =
  | { readonly stop: true; readonly reason: string }
  /** `in_use`: other agents use them, or may be about to. `unavailable`: the reports do not tell. */
  | { readonly stop: false; readonly code: "in_use" | "unavailable"; readonly reason: string };

/** What decides whether the servers are in use. */
export interface UsageQuery {
  readonly fleet: FleetAge;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How late figures may be, in milliseconds. */
  readonly delay: number;
  /** How old the newest report may be, in milliseconds. */
  readonly maxAge: number;
  /** `clientNumber` of the caller's certificate. */
  readonly caller: number;
  /** Reads the recent reports of the servers. Not called when no server is desired. */
  readReports(): Promise<readonly AgentReport[]>;
}

/**
 * Decides whether servers may be stopped for a caller: only when the newest report says that no agent is connected,
 * or one agent, which is the caller. In doubt they keep running, since Sleep stops them anyway.
 *
 * A server that started less than `delay` ago is in use in any case: the agent that woke it may not have connected yet,
 * or not show in the figures.
 *
 * A server reports at once when agents connect or disconnect. With several servers each must report no other agent, and
 * since reports do not distinguish servers, all of them count.
 */
export async function checkUsage(query: UsageQuery): Promise<UsageDecision> {
  const { fleet: { desired, running, newestStart }, now, delay, maxAge, caller, readReports } = query;
  if (desired === 0) return { stop: true, reason: "no server is desired" };
  if (newestStart === undefined) return unknown("the start time of the servers is unknown");
  const reports = (await readReports()).filter(({ at }) => at >= newestStart.getTime())
    .sort((a, b) => b.at - a.at);
  const [newest] = reports;
  if (newest === undefined) return unknown("the servers reported nothing to CloudWatch recently");
  if (now - newest.at > maxAge) {
    return unknown(`the servers' newest report is ${Math.round((now - newest.at) / 1000)} s old`);
  }
  const isOne = Math.max(desired, running) === 1;
  const counted = isOne ? [newest] : reports;
  const agents = Math.max(...counted.map((report) => report.agents));
  if (agents > 1) return inUse(`${agents} agents are connected`);
  const other = counted.find((report) => report.agents === 1 && report.onlyClient !== caller);
  if (other !== undefined) return inUse("1 agent is connected, which is not the caller");
  const age = now - newestStart.getTime();
  if (age < delay) {
    return inUse(`0 other agents are connected, but a server is only ${Math.round(age / 1000)} s old`);
  }
  return { stop: true, reason: agents === 0 ? "no agent is connected" : "only the caller is connected" };
}

function inUse(reason: string): UsageDecision {
  return { stop: false, code: "in_use", reason };
}

function unknown(reason: string): UsageDecision {
  return { stop: false, code: "unavailable", reason };
}
