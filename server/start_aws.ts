import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import type { LiveText } from "../shared/pki/x509/pem_source.ts";
import { cloudWatch, Reports } from "./aws/reports.ts";
import { WatchedText } from "./aws/watched_text.ts";
import type { MetricsConfig } from "./config/config.ts";
import type { Period } from "./metrics/period.ts";

/** Milliseconds between two reads of the parameter with the revocation list. */
const CRL_INTERVAL_MS = 60_000;

/** Starts the reports to CloudWatch; undefined where `emit_metrics` is off. */
export async function startReports(
  metrics: MetricsConfig | undefined,
  period: Period,
): Promise<Reports | undefined> {
  if (metrics === undefined) return undefined;
  const reports = new Reports({
    interval: metrics.interval,
    clock: systemClock,
    log: getLogger("metrics"),
    take: () => period.take(),
    putBack: (figures) => period.putBack(figures),
    send: await cloudWatch(metrics),
  });
  reports.start();
  return reports;
}

/** A revocation list in a parameter of the Systems Manager. */
export interface CrlParameter {
  readonly source: LiveText;
  /** Stops reading it. */
  close(): Promise<void>;
}

/**
 * Reads the revocation list from a parameter, now and every minute.
 *
 * @param parameter Name of the parameter; undefined where none is configured.
 * @throws {CloudError} When it cannot be read now: a server must not start without its configured list.
 */
export async function openCrlParameter(parameter: string | undefined): Promise<CrlParameter | undefined> {
  if (parameter === undefined) return undefined;
  const { readParameter } = await import("../shared/aws/parameter.ts");
  let listener = () => {};
  const watched = await WatchedText.open({
    name: `parameter ${parameter}`,
    interval: CRL_INTERVAL_MS,
    clock: systemClock,
    log: getLogger("tls"),
    read: (signal) => readParameter(parameter, signal),
    onChange: () => listener(),
  });
  return {
    source: {
      name: `of the parameter ${parameter}`,
      text: () => watched.current,
      onChange: (onChange) => void (listener = onChange),
    },
    close: () => watched.close(),
  };
}
