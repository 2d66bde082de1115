/**
 * Kill: stops the servers, unless other agents use them; running servers drain first. It decides by what the servers
 * report to CloudWatch, independent of the caller. When the reports do not tell, it changes nothing and says so.
 */
import { CloudError } from "../shared/aws/cloud_error.ts";
import { clientNumber } from "../shared/cloud/metric_names.ts";
import { getLogger } from "../shared/log.ts";
import { systemClock } from "../shared/system_clock.ts";
import { agentFunction } from "./agent_function.ts";
import { ActivityLog } from "./aws/activity.ts";
import { fleetFromEnvironment, readEnvironment } from "./environment.ts";
import { checkUsage } from "./fleet_usage.ts";

/** Milliseconds until CloudWatch shows a report. */
const REPORT_SLACK_MS = 15_000;

const {
  SALLYPORT_METRICS_NAMESPACE: namespace,
  SALLYPORT_METRICS_NAME: metricsName,
  SALLYPORT_METRICS_INTERVAL: interval,
  SALLYPORT_METRICS_DELAY: delay,
} = readEnvironment(
  "SALLYPORT_METRICS_NAMESPACE",
  "SALLYPORT_METRICS_NAME",
  "SALLYPORT_METRICS_INTERVAL",
  "SALLYPORT_METRICS_DELAY",
);
const fleet = fleetFromEnvironment();
const activity = new ActivityLog(namespace, metricsName);
const log = getLogger("kill");

export const handler = agentFunction({
  action: "kill",
  method: "POST",
  async act(signal, { identity, commonName: client }) {
    const now = systemClock.wallTime();
    const decision = await checkUsage({
      fleet: await fleet.age(signal),
      now,
      delay,
      maxAge: interval + REPORT_SLACK_MS,
      caller: clientNumber(identity),
      readReports: () => activity.agentReports(new Date(now - delay - interval), new Date(now), signal),
    });
    if (!decision.stop) throw new CloudError(decision.code, `Cannot stop the servers: ${decision.reason}`);
    await fleet.stop(signal);
    log.info("servers stopped", { client, reason: decision.reason });
    return { state: "stopped", servers: [] };
  },
});
