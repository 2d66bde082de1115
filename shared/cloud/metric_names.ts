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
  /** `clientNumber` of the certificate of all agents that are connected now; 0 when there are several, or none. */
  OnlyClient: "None",
  /** Streams that began. */
  Requests: "Count",
  /** Streams that ended with an error that was not the client's doing. */
  Errors: "Count",
} as const;

/** Metrics of which Kill reads the newest figure alone: kept by the second, as the others are by the minute. */
export const BY_SECOND: ReadonlySet<string> = new Set<MetricName>(["ConnectedAgents", "OnlyClient"]);

/** A key of {@linkcode METRICS}. */
export type MetricName = keyof typeof METRICS;
