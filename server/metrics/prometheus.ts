import type { Registry } from "prom-client";
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
  return { contentType: registry.contentType, text: await registry.metrics() };
}
