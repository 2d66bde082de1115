/**
 * Sleep: stops servers that are idle. The schedule alone calls it; it has no address. When metrics or servers
 * cannot be looked at it changes nothing and throws, so that the function's error count shows it.
 */
import { getLogger } from "../shared/log.ts";
import { systemClock } from "../shared/system_clock.ts";
import { ActivityLog } from "./aws/activity.ts";
import { readEnvironment } from "./environment.ts";
import { fleetOfEnvironment } from "./fleet_of_environment.ts";
import { judgeIdleness } from "./idleness.ts";
import type { Handler } from "./invocation.ts";
import { requireSchedule } from "./schedule.ts";

const {
  SALLYPORT_METRICS_NAME: metricsName,
  SALLYPORT_IDLE_AFTER: idleAfter,
  SALLYPORT_METRICS_DELAY: delay,
} = readEnvironment("SALLYPORT_METRICS_NAME", "SALLYPORT_IDLE_AFTER", "SALLYPORT_METRICS_DELAY");
/** Of the newest figures some are not there yet: only with these beside it all of `idleAfter` is known. */
const span = idleAfter + delay;
const fleet = fleetOfEnvironment();
const activity = new ActivityLog(metricsName);
const log = getLogger("sleep");

export const handler: Handler = async (event, { awsRequestId: request, signal }) => {
  requireSchedule(event);
  const now = systemClock.wallTime();
  const readActivity = () => activity.between(new Date(now - span), new Date(now), signal);
  const verdict = await judgeIdleness(await fleet.age(signal), now, span, readActivity);
  log.info(verdict.stop ? "idle servers are stopped" : "servers left as they are", {
    request,
    reason: verdict.reason,
  });
  if (verdict.stop) await fleet.stop(signal);
  return verdict;
};
