import type { Registry } from "prom-client";
import type { LimitFigures } from "../../shared/limits/shared_limit.ts";
import type { SessionTotals } from "../../shared/mux/session/session_figures.ts";
import type { Counters, Tally } from "./counters.ts";

/** Current values. */
export interface Gauges {
  readonly connections: number;
  readonly agents: number;
  /** The sessions of agents, and what they and earlier ones did. */
  readonly totals: SessionTotals;
  /** When each expires, in seconds since 1970; `crl` is missing without a list. */
  readonly expiries: { readonly own: number; readonly ca: number; readonly crl?: number };
  /** Revoked certificates; 0 without a list. */
  readonly crlEntries: number;
  /** How much of each limit is used, by its name. */
  readonly limits: Readonly<Record<string, LimitFigures>>;
}

/**
 * Writes all metrics in Prometheus' text format. The library is loaded with the first request and keeps no state in
 * between: a server that is never scraped spends neither memory nor time on it.
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
  gauge("agents", "Connected agent processes", gauges.agents);
  writeSessions(gauges.totals, { Counter, Gauge, registers });
  gauge("crl_entries", "Certificates on the revocation list", gauges.crlEntries);
  const expiry = new Gauge({
    name: "sallyport_certificate_expiry_timestamp_seconds",
    help: "When the certificate, the CA certificate and the revocation list expire",
    labelNames: ["of"],
    registers,
  });
  for (const [of, seconds] of Object.entries(gauges.expiries)) expiry.set({ of }, seconds);
  counter("streams", "Finished streams", ["kind", "outcome"], counters.streams);
  counter("user_bytes", "Bytes of finished streams", ["direction"], counters.bytes);
  counter("refused_connections", "Refused connections", ["reason"], counters.refused);
  counter("reloads", "Reloads of certificates", ["outcome"], counters.reloads);
  writeLimits(gauges.limits, { Counter, Gauge, registers });
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** The library's classes, and where a metric is registered. */
type Metrics = Pick<typeof import("prom-client"), "Counter" | "Gauge"> & { readonly registers: Registry[] };

/** Sessions and their connections; what losing connections costs shows up here. */
function writeSessions(totals: SessionTotals, { Counter, Gauge, registers }: Metrics): void {
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name: `sallyport_${name}`, help, registers }).set(value);
  const counter = (name: string, help: string, value: number) =>
    new Counter({ name: `sallyport_${name}_total`, help, registers }).inc(value);
  gauge("open_streams", "Open streams", totals.streams);
  gauge("sessions", "Sessions of agents", totals.sessions);
  gauge("waiting_sessions", "Sessions that wait for a connection", totals.waiting);
  gauge("links", "Connections that belong to a session", totals.links);
  counter(
    "resumptions",
    "Times that a session continued after it had lost all connections",
    totals.resumptions,
  );
  counter(
    "resent_bytes",
    "Bytes of bodies that the server sent again by another connection",
    totals.resentBytes,
  );
}

/** The limits that clients share: a client that takes more than its share shows up here. */
function writeLimits(limits: Gauges["limits"], { Counter, Gauge, registers }: Metrics): void {
  const labelNames = ["limit"];
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `sallyport_limit_${name}`, help, labelNames, registers });
  const max = gauge("max", "The limit, over all clients");
  const used = gauge("used", "In use, over all clients");
  const largest = gauge("largest_share", "In use by the client with the most");
  const denied = new Counter({
    name: "sallyport_limit_denied_total",
    help: "Refused at the limit, or evicted for another client",
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
