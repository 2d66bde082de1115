import { systemClock } from "../shared/system_clock.ts";
import { getLogger } from "../shared/log.ts";
import type { KeptText } from "../shared/tls/identity_source.ts";
import { cloudWatch } from "./aws/cloud_watch.ts";
import { Reports } from "./aws/reports.ts";
import { WatchedText } from "./aws/watched_text.ts";
import type { MetricsConfig } from "./config.ts";
import type { Period } from "./metrics/period.ts";

/** Milliseconds between two reads of the parameter with the revocation list. */
const CRL_INTERVAL = 60_000;

/** Begins to report to CloudWatch. */
export async function startReports({ interval, name }: MetricsConfig, period: Period): Promise<Reports> {
  const reports = new Reports({
    interval,
    clock: systemClock,
    log: getLogger("metrics"),
    take: () => period.take(),
    putBack: (figures) => period.putBack(figures),
    send: await cloudWatch(name),
  });
  reports.start();
  return reports;
}

/** A revocation list that is kept in a parameter. */
export interface KeptList {
  readonly source: KeptText;
  /** Reads it no more. */
  close(): Promise<void>;
}

/**
 * Begins to read the revocation list from a parameter, again every minute.
 *
 * @param onChange The parameter holds another list.
 * @throws {CloudError} When it cannot be read now: a server must not start without the list that it was given.
 */
export async function openKeptList(parameter: string, onChange: () => void): Promise<KeptList> {
  const { readParameter } = await import("../shared/aws/parameter.ts");
  const watched = await WatchedText.open({
    name: `parameter ${parameter}`,
    interval: CRL_INTERVAL,
    clock: systemClock,
    log: getLogger("tls"),
    read: (signal) => readParameter(parameter, signal),
    onChange,
  });
  const source = { name: `of the parameter ${parameter}`, text: () => watched.current };
  return { source, close: () => watched.close() };
}
