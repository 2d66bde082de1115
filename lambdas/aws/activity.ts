import { CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from "@aws-sdk/client-cloudwatch";
import { METRIC_DIMENSION, METRIC_NAMESPACE, type MetricName } from "../../shared/cloud/metric_names.ts";
import { CLIENT_OPTIONS } from "../../shared/aws/client_options.ts";
import { CloudError, cloudErrorOf } from "../../shared/aws/cloud_error.ts";

/** What the servers reported over a time. */
export interface Activity {
  /** How many reports there were; with 0 nothing is known, and a server that works reports every minute. */
  readonly reports: number;
  /** Bytes for users, both ways, over all servers. */
  readonly userBytes: number;
  /** The most streams that a server had open in any report. */
  readonly openStreams: number;
}

const PERIOD_S = 60;

/** What the servers report to CloudWatch. */
export class ActivityLog {
  readonly #metricsName: string;
  readonly #cloudWatch = new CloudWatchClient(CLIENT_OPTIONS);

  /** @param metricsName The servers' `metrics_name`. */
  constructor(metricsName: string) {
    this.#metricsName = metricsName;
  }

  /**
   * What was reported between two times.
   *
   * @throws {CloudError} Also when CloudWatch has only a part of it: of the rest nobody knows.
   */
  async between(from: Date, to: Date, abortSignal: AbortSignal): Promise<Activity> {
    const values = new Map<string, number[]>();
    try {
      let NextToken: string | undefined;
      do {
        const command = new GetMetricDataCommand({
          StartTime: from,
          EndTime: to,
          MetricDataQueries: [
            this.#query("UserBytesIn", "Sum"),
            this.#query("UserBytesOut", "Sum"),
            this.#query("OpenStreams", "Maximum"),
          ],
          NextToken,
        });
        const page = await this.#cloudWatch.send(command, { abortSignal });
        for (const { Id = "", Values = [], StatusCode } of page.MetricDataResults ?? []) {
          if (StatusCode === "InternalError" || StatusCode === "Forbidden") {
            throw new CloudError("unavailable", `Cannot read the servers' metrics: ${Id} is ${StatusCode}`);
          }
          values.set(Id, [...values.get(Id) ?? [], ...Values]);
        }
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
    } catch (error) {
      throw cloudErrorOf(error, `read the metrics of "${this.#metricsName}"`);
    }
    const of = (name: MetricName) => values.get(idOf(name)) ?? [];
    return {
      reports: of("OpenStreams").length,
      userBytes: [...of("UserBytesIn"), ...of("UserBytesOut")].reduce((sum, bytes) => sum + bytes, 0),
      openStreams: Math.max(0, ...of("OpenStreams")),
    };
  }

  #query(MetricName: MetricName, Stat: "Sum" | "Maximum"): MetricDataQuery {
    const Dimensions = [{ Name: METRIC_DIMENSION, Value: this.#metricsName }];
    const Metric = { Namespace: METRIC_NAMESPACE, MetricName, Dimensions };
    return { Id: idOf(MetricName), MetricStat: { Metric, Period: PERIOD_S, Stat } };
  }
}

/** An id of a query begins with a small letter. */
function idOf(name: MetricName): string {
  return name[0]!.toLowerCase() + name.slice(1);
}
