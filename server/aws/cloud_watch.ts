import { CLIENT_OPTIONS } from "../../shared/aws/client_options.ts";
import {
  BY_SECOND,
  METRIC_DIMENSION,
  METRIC_NAMESPACE,
  type MetricName,
  METRICS,
} from "../../shared/cloud/metric_names.ts";
import type { Figures } from "./reports.ts";

/**
 * Makes what sends reports to CloudWatch. Its library is loaded now and not before: who reports nothing pays
 * neither memory nor time for it.
 *
 * @param metricsName The value of the reports' one dimension.
 */
export async function cloudWatch(
  metricsName: string,
): Promise<(figures: Partial<Figures>, at: Date, signal: AbortSignal) => Promise<void>> {
  const { CloudWatchClient, PutMetricDataCommand } = await import("@aws-sdk/client-cloudwatch");
  const client = new CloudWatchClient(CLIENT_OPTIONS);
  const Dimensions = [{ Name: METRIC_DIMENSION, Value: metricsName }];
  return async (figures, Timestamp, abortSignal) => {
    const MetricData = Object.entries(figures).map(([MetricName, Value]) => ({
      MetricName,
      Dimensions,
      Timestamp,
      Unit: METRICS[MetricName as MetricName],
      Value,
      ...(BY_SECOND.has(MetricName) ? { StorageResolution: 1 } : {}),
    }));
    await client.send(new PutMetricDataCommand({ Namespace: METRIC_NAMESPACE, MetricData }), { abortSignal });
  };
}
