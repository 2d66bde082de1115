import { CloudWatchClient, GetMetricDataCommand, type MetricStat } from "@aws-sdk/client-cloudwatch";
import { METRIC_DIMENSION, type MetricName } from "../../shared/cloud/metric_names.ts";
import { CLIENT_OPTIONS } from "../../shared/aws/client_options.ts";
import { CloudError, cloudErrorOf } from "../../shared/aws/cloud_error.ts";

/** What the servers reported over a period. */
export interface Activity {
  /** How many reports there were. A working server reports every minute; with 0 reports nothing is known. */
  readonly reports: number;
  /** User bytes in both directions, over all servers. */
  readonly userBytes: number;
  /** The most streams that a server had open in any report. */
  readonly openStreams: number;
}

/** Resolutions in seconds; CloudWatch keeps one-second data for three hours. */
const MINUTE_S = 60;
const SECOND_S = 1;

/** What servers reported about their agents in one second. */
export interface AgentReport {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The most agents that a server had. */
  readonly agents: number;
  /** `clientNumber` of the certificate that all of them share; undefined when they have different ones. */
  readonly onlyClient: number | undefined;
}

/** A value of a metric, with the time of its period. */
interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** What the servers report to CloudWatch. */
export class ActivityLog {
  readonly #namespace: string;
  readonly #metricsName: string;
  readonly #cloudWatch = new CloudWatchClient(CLIENT_OPTIONS);

  /**
   * @param namespace The servers' `metrics_namespace`.
   * @param metricsName The servers' `metrics_name`.
   */
  constructor(namespace: string, metricsName: string) {
    this.#namespace = namespace;
    this.#metricsName = metricsName;
  }

  /**
   * The traffic between two times.
   *
   * @throws {CloudError} Also when CloudWatch returns only a part of it: the rest is unknown.
   */
  async between(from: Date, to: Date, signal: AbortSignal): Promise<Activity> {
    const points = await this.#read(from, to, signal, {
      bytesIn: this.#stat("UserBytesIn", "Sum", MINUTE_S),
      bytesOut: this.#stat("UserBytesOut", "Sum", MINUTE_S),
      streams: this.#stat("OpenStreams", "Maximum", MINUTE_S),
    });
    return {
      reports: points.streams.length,
      userBytes: [...points.bytesIn, ...points.bytesOut].reduce((sum, { value }) => sum + value, 0),
      openStreams: Math.max(0, ...points.streams.map(({ value }) => value)),
    };
  }

  /**
   * The reports about agents between two times, second by second.
   *
   * @throws {CloudError} As `between` does.
   */
  async agentReports(from: Date, to: Date, signal: AbortSignal): Promise<AgentReport[]> {
    const points = await this.#read(from, to, signal, {
      agents: this.#stat("ConnectedAgents", "Maximum", SECOND_S),
      least: this.#stat("OnlyClient", "Minimum", SECOND_S),
      most: this.#stat("OnlyClient", "Maximum", SECOND_S),
    });
    const valueAt = (list: readonly Point[], at: number) => list.find((point) => point.at === at)?.value;
    return points.agents.map(({ at, value: agents }) => {
      const least = valueAt(points.least, at);
      return {
        at,
        agents,
        onlyClient: least === valueAt(points.most, at) && least !== 0 ? least : undefined,
      };
    });
  }

  async #read<K extends string>(
    StartTime: Date,
    EndTime: Date,
    abortSignal: AbortSignal,
    stats: Readonly<Record<K, MetricStat>>,
  ): Promise<Record<K, Point[]>> {
    const ids = Object.keys(stats) as K[];
    const MetricDataQueries = ids.map((Id) => ({ Id, MetricStat: stats[Id] }));
    const points = Object.fromEntries(ids.map((id) => [id, []])) as unknown as Record<K, Point[]>;
    try {
      let NextToken: string | undefined;
      do {
        const command = new GetMetricDataCommand({ StartTime, EndTime, MetricDataQueries, NextToken });
        const page = await this.#cloudWatch.send(command, { abortSignal });
        for (const { Id, Timestamps = [], Values = [], StatusCode } of page.MetricDataResults ?? []) {
          if (StatusCode === "InternalError" || StatusCode === "Forbidden") {
            throw new CloudError("unavailable", `Cannot read the servers' metrics: ${Id} is ${StatusCode}`);
          }
          const found = Values.map((value, index) => ({ at: Number(Timestamps[index]), value }));
          points[Id as K].push(...found);
        }
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
    } catch (error) {
      throw cloudErrorOf(error, `read the metrics of "${this.#metricsName}"`);
    }
    return points;
  }

  #stat(MetricName: MetricName, Stat: "Sum" | "Maximum" | "Minimum", Period: number): MetricStat {
    const Dimensions = [{ Name: METRIC_DIMENSION, Value: this.#metricsName }];
    return { Metric: { Namespace: this.#namespace, MetricName, Dimensions }, Period, Stat };
  }
}
