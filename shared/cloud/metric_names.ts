/** CloudWatch metrics: reported by the server, read by Sleep and Kill. */

/**
 * The default namespace. `deploy` gives every installation its own, since a role can be limited to a namespace:
 * otherwise a server could report as another installation.
 */
export const METRIC_NAMESPACE = "Sallyport";

/** The one dimension; its value is the server's `metrics_name`. */
export const METRIC_DIMENSION = "Service";

/** Each metric with its unit in CloudWatch. Bytes, requests and errors count since the previous report. */
export const METRICS = {
  /** Bodies and tunnelled bytes from agents, without pings and other protocol messages. */
  UserBytesIn: "Bytes",
  /** Bodies and tunnelled bytes to agents. */
  UserBytesOut: "Bytes",
  /** Open streams. */
  OpenStreams: "Count",
  /** Connected agent processes. */
  ConnectedAgents: "Count",
  /**
   * `clientNumber` of the certificate that all connected agents share, 0 when there are several. Not reported without
   * agents: together with an agent that connects in the same second it would look like two clients.
   */
  OnlyClient: "None",
  /** New streams. */
  Requests: "Count",
  /** Streams that failed, but not because of the client. */
  Errors: "Count",
} as const;

/** Metrics with a resolution of a second, since Kill reads their newest figure; the others have a minute. */
export const BY_SECOND: ReadonlySet<string> = new Set<MetricName>(["ConnectedAgents", "OnlyClient"]);

/** A key of {@linkcode METRICS}. */
export type MetricName = keyof typeof METRICS;

/** The figures of one report. */
export type MetricFigures = Readonly<
  Record<Exclude<MetricName, "OnlyClient">, number> & { OnlyClient?: number }
>;

/** Hex digits of an identity that fit into a number exactly. */
const DIGITS = 12;

/**
 * The number that identifies a client in a metric, since metrics hold only numbers: the first 48 bits of the
 * certificate's identity, which a double holds exactly.
 *
 * @param identity `clientIdentity` of the certificate: SHA-256 in hex with colons.
 */
export function clientNumber(identity: string): number {
  return Number.parseInt(identity.replaceAll(":", "").slice(0, DIGITS), 16);
}
