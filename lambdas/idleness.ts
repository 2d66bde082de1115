import type { Activity } from "./aws/activity.ts";
import type { FleetAge } from "./aws/fleet.ts";

/** Whether servers are to be stopped, and why or why not. */
export interface Verdict {
  readonly stop: boolean;
  /** For the log, in words. */
  readonly reason: string;
}

/**
 * Decides whether the servers are idle (DESIGN.md 6): without user bytes and open streams over `span`. Who
 * started less than that ago stays. Servers that report nothing at all are broken, and cost money: they are
 * stopped too.
 *
 * @param span Milliseconds.
 * @param readActivity What was reported in that time; not asked when the answer is known without.
 */
export async function judgeIdleness(
  { desired, youngest }: FleetAge,
  now: number,
  span: number,
  readActivity: () => Promise<Activity>,
): Promise<Verdict> {
  if (desired === 0) return { stop: false, reason: "no server is wanted" };
  const age = youngest === undefined ? Infinity : now - youngest.getTime();
  if (age < span) return { stop: false, reason: `the youngest server is ${seconds(age)} old` };
  const { reports, userBytes, openStreams } = await readActivity();
  const over = `over ${seconds(span)}`;
  if (reports === 0) return { stop: true, reason: `no server reported anything ${over}` };
  if (openStreams > 0) return { stop: false, reason: `${openStreams} streams were open ${over}` };
  if (userBytes > 0) return { stop: false, reason: `${userBytes} bytes were carried ${over}` };
  return { stop: true, reason: `no stream was open and no byte was carried ${over}` };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
