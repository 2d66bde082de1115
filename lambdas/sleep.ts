/**
 * Sleep: stops idle servers. Only the schedule calls it; it has no URL. When metrics or servers cannot be read, it
 * changes nothing and throws, so that the function's error count shows it.
 */
import { z } from "zod";
import { getLogger } from "../shared/log.ts";
import { systemClock } from "../shared/system_clock.ts";
import { ActivityLog } from "./aws/activity.ts";
import { fleetFromEnvironment, readEnvironment } from "./environment.ts";
import { checkIdleness } from "./idleness.ts";
import type { Handler } from "./handler.ts";

/** The event of a scheduled rule. */
const SCHEDULED_EVENT = z.object({
  source: z.literal("aws.events"),
  "detail-type": z.literal("Scheduled Event"),
});

const {
  SALLYPORT_METRICS_NAMESPACE: namespace,
  SALLYPORT_METRICS_NAME: metricsName,
  SALLYPORT_IDLE_AFTER: idleAfter,
  SALLYPORT_METRICS_DELAY: delay,
} = readEnvironment(
  "SALLYPORT_METRICS_NAMESPACE",
  "SALLYPORT_METRICS_NAME",
  "SALLYPORT_IDLE_AFTER",
  "SALLYPORT_METRICS_DELAY",
);
/** The newest figures may still be missing: with this margin, all of `idleAfter` is covered. */
const span = idleAfter + delay;
const fleet = fleetFromEnvironment();
const activity = new ActivityLog(namespace, metricsName);
const log = getLogger("sleep");

export const handler: Handler = async (event, { awsRequestId: request, signal }) => {
  if (!SCHEDULED_EVENT.safeParse(event).success) {
    throw new Error("Cannot run: expected a scheduled event of EventBridge");
  }
  const now = systemClock.wallTime();
  const readActivity = () => activity.between(new Date(now - span), new Date(now), signal);
  const decision = await checkIdleness(await fleet.age(signal), now, span, readActivity);
  log.info(decision.stop ? "idle servers stopped" : "servers left running", {
    request,
    reason: decision.reason,
  });
  if (decision.stop) await fleet.stop(signal);
  return decision;
};
