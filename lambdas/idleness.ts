import { countOf } from "../shared/text/count_of.ts";
import type { Activity } from "./aws/activity.ts";
import type { FleetAge } from "./aws/fleet.ts";

/** Whether to stop the servers, and why. */
export interface IdleDecision {
  readonly stop: boolean;
  /** For the log. */
  readonly reason: string;
}

/**
 * Decides whether the servers are idle: without user bytes and open streams over `span`. Servers that started less than
 * that ago keep running. Servers that report nothing at all are broken, and cost money: they are stopped too.
 *
 * @param span Milliseconds.
 * @param readActivity Reads what was reported in that time; not called when the decision does not need it.
 */
export async function checkIdleness(
  { desired, newestStart }: FleetAge,
  now: number,
  span: number,
  readActivity: () => Promise<Activity>,
): Promise<IdleDecision> {
  if (desired === 0) return { stop: false, reason: "no server is desired" };
  const age = newestStart === undefined ? Infinity : now - newestStart.getTime();
  if (age < span) return { stop: false, reason: `the newest server is ${seconds(age)} old` };
  const { reports, userBytes, openStreams } = await readActivity();
  const over = `over ${seconds(span)}`;
  if (reports === 0) return { stop: true, reason: `no server reported anything ${over}` };
  if (openStreams > 0) {
    return { stop: false, reason: `${countOf(openStreams, "stream was", "streams were")} open ${over}` };
  }
  if (userBytes > 0) {
    return { stop: false, reason: `${countOf(userBytes, "byte was", "bytes were")} transferred ${over}` };
  }
  return { stop: true, reason: `no stream was open and no byte was transferred ${over}` };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
