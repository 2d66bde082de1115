/** Names under which the server reports to CloudWatch and the Sleep function reads. */

/** The namespace. */
export const METRIC_NAMESPACE = "Sallyport";

/** The one dimension; its value is the server's `metrics_name`, so that several installations stay apart. */
export const METRIC_DIMENSION = "Service";

/** Each metric, with its unit in CloudWatch. Bytes, requests and errors are those since the report before. */
export const METRICS = {
  /** Bodies and tunnelled bytes from agents. Pings and other messages of the protocol are none. */
  UserBytesIn: "Bytes",
  /** Bodies and tunnelled bytes to agents. */
  UserBytesOut: "Bytes",
  /** Streams that are open now. */
  OpenStreams: "Count",
  /** Agent processes that are connected now. */
  ConnectedAgents: "Count",
  /** Streams that began. */
  Requests: "Count",
  /** Streams that ended with an error that was not the client's doing. */
  Errors: "Count",
} as const;

/** A key of {@linkcode METRICS}. */
export type MetricName = keyof typeof METRICS;
