/**
 * Kill: wants no servers any more, unless other agents use them; those that run drain and end. It reads what the
 * servers report to CloudWatch, whoever asks. When that does not tell, it changes nothing and says so.
 */
import { CloudError } from "../shared/aws/cloud_error.ts";
import { clientNumber } from "../shared/cloud/client_number.ts";
import { getLogger } from "../shared/log.ts";
import { systemClock } from "../shared/system_clock.ts";
import { agentsDoor } from "./agents_door.ts";
import { ActivityLog } from "./aws/activity.ts";
import { readEnvironment } from "./environment.ts";
import { fleetOfEnvironment } from "./fleet_of_environment.ts";
import { judgeUse } from "./use.ts";

/** Milliseconds that a report may take until CloudWatch shows it. */
const REPORT_SLACK = 15_000;

const {
  SALLYPORT_METRICS_NAME: metricsName,
  SALLYPORT_METRICS_INTERVAL: interval,
  SALLYPORT_METRICS_DELAY: delay,
} = readEnvironment("SALLYPORT_METRICS_NAME", "SALLYPORT_METRICS_INTERVAL", "SALLYPORT_METRICS_DELAY");
const fleet = fleetOfEnvironment();
const activity = new ActivityLog(metricsName);
const log = getLogger("kill");

export const handler = agentsDoor({
  action: "kill",
  method: "POST",
  async act(signal, { identity, commonName: client }) {
    const now = systemClock.wallTime();
    const verdict = await judgeUse({
      fleet: await fleet.age(signal),
      now,
      delay,
      maxAge: interval + REPORT_SLACK,
      caller: clientNumber(identity),
      readReports: () => activity.use(new Date(now - delay - interval), new Date(now), signal),
    });
    if (!verdict.stop) throw new CloudError(verdict.code, `Cannot stop the servers: ${verdict.reason}`);
    await fleet.stop(signal);
    log.info("servers stopped", { client, reason: verdict.reason });
    return { state: "stopped", servers: [] };
  },
});
