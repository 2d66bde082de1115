import type { Registry } from "prom-client";
import type { LimitFigures } from "../../shared/limits/shared_limit.ts";
import type { Counters, Tally } from "./counters.ts";

/** What is true at the moment. */
export interface Gauges {
  readonly connections: number;
  readonly agents: number;
  readonly streams: number;
  /** When each ends, in seconds since 1970; `crl` is left out without a list. */
  readonly expiries: { readonly own: number; readonly ca: number; readonly crl?: number };
  /** Certificates that the CA took back; 0 without a list. */
  readonly crlEntries: number;
  /** How much of each limit is used, by its name. */
  readonly limits: Readonly<Record<string, LimitFigures>>;
}

/**
 * Writes everything in Prometheus' text format. Its library is loaded when somebody asks for the first time, and
 * keeps nothing in between: who never asks pays neither memory nor time for it.
 */
export async function prometheusText(
  counters: Counters,
  gauges: Gauges,
): Promise<{ contentType: string; text: string }> {
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry: Registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name: `sallyport_${name}`, help, registers }).set(value);
  const counter = (name: string, help: string, labelNames: string[], tally: Tally) => {
    const metric = new Counter({ name: `sallyport_${name}_total`, help, labelNames, registers });
    for (const { labels, count } of tally.entries()) metric.labels(...labels).inc(count);
  };
  gauge("connections", "mTLS connections of agents", gauges.connections);
  gauge("agents", "Agent processes that are connected", gauges.agents);
  gauge("open_streams", "Open streams", gauges.streams);
  gauge("crl_entries", "Certificates that the revocation list names", gauges.crlEntries);
  const expiry = new Gauge({
    name: "sallyport_certificate_expiry_timestamp_seconds",
    help: "When the certificate, the CA's certificate and the revocation list end",
    labelNames: ["of"],
    registers,
  });
  for (const [of, seconds] of Object.entries(gauges.expiries)) expiry.set({ of }, seconds);
  counter("streams", "Streams that are over", ["kind", "outcome"], counters.streams);
  counter("user_bytes", "Bytes of streams that are over", ["direction"], counters.bytes);
  counter("refused_connections", "Connections that were not let in", ["reason"], counters.refused);
  counter("reloads", "Reloads of certificates", ["outcome"], counters.reloads);
  writeLimits(gauges.limits, { Counter, Gauge, registers });
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** What clients share, and how: a client that takes more than its share is seen here. */
function writeLimits(
  limits: Gauges["limits"],
  { Counter, Gauge, registers }: Pick<typeof import("prom-client"), "Counter" | "Gauge"> & {
    registers: Registry[];
  },
): void {
  const labelNames = ["limit"];
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `sallyport_limit_${name}`, help, labelNames, registers });
  const max = gauge("max", "The most at once, over all clients");
  const used = gauge("used", "Taken now, over all clients");
  const largest = gauge("largest_share", "Taken now by the client that has the most");
  const denied = new Counter({
    name: "sallyport_limit_denied_total",
    help: "Refused because there was no room, or evicted for another client",
    labelNames: ["limit", "how"],
    registers,
  });
  for (const [limit, figures] of Object.entries(limits)) {
    max.set({ limit }, figures.total);
    used.set({ limit }, figures.used);
    largest.set({ limit }, figures.largestShare);
    denied.labels(limit, "refused").inc(figures.refused);
    denied.labels(limit, "evicted").inc(figures.evicted);
  }
}
