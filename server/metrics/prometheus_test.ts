import assert from "node:assert/strict";
import { Counters } from "./counters.ts";
import { type Gauges, prometheusText } from "./prometheus.ts";

const GAUGES: Gauges = {
  connections: 2,
  agents: 1,
  totals: { sessions: 2, waiting: 1, links: 3, streams: 7, resumptions: 4, resentBytes: 5_000 },
  expiries: { own: 1_800_000_000, ca: 1_900_000_000 },
  crlEntries: 0,
  limits: { streams: { total: 32_768, used: 7, largestShare: 5, refused: 3, evicted: 0 } },
};

/** Lines without comments. */
async function samples(counters: Counters, gauges: Gauges = GAUGES): Promise<string[]> {
  const { text } = await prometheusText(counters, gauges);
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

Deno.test("all metrics exist from the start, at zero", async () => {
  assert.deepEqual(await samples(new Counters()), [
    "sallyport_connections 2",
    "sallyport_agents 1",
    "sallyport_open_streams 7",
    "sallyport_sessions 2",
    "sallyport_waiting_sessions 1",
    "sallyport_links 3",
    "sallyport_resumptions_total 4",
    "sallyport_resent_bytes_total 5000",
    "sallyport_crl_entries 0",
    'sallyport_certificate_expiry_timestamp_seconds{of="own"} 1800000000',
    'sallyport_certificate_expiry_timestamp_seconds{of="ca"} 1900000000',
    'sallyport_user_bytes_total{direction="in"} 0',
    'sallyport_user_bytes_total{direction="out"} 0',
    'sallyport_refused_connections_total{reason="peer_rejected"} 0',
    'sallyport_refused_connections_total{reason="limit_reached"} 0',
    'sallyport_refused_connections_total{reason="tunnel_down"} 0',
    'sallyport_reloads_total{outcome="ok"} 0',
    'sallyport_reloads_total{outcome="failed"} 0',
    'sallyport_limit_max{limit="streams"} 32768',
    'sallyport_limit_used{limit="streams"} 7',
    'sallyport_limit_largest_share{limit="streams"} 5',
    'sallyport_limit_denied_total{limit="streams",how="refused"} 3',
    'sallyport_limit_denied_total{limit="streams",how="evicted"} 0',
  ]);
});

Deno.test("the metrics count streams by kind and outcome, and their bytes", async () => {
  const counters = new Counters();
  counters.streamDone({ kind: "connect_request", bytesIn: 10, bytesOut: 1_000 });
  counters.streamDone({ kind: "connect_request", bytesIn: 1, bytesOut: 0 });
  counters.streamDone({ kind: "http_request", code: "target_denied", bytesIn: 0, bytesOut: 5 });
  counters.refused.add(["peer_rejected"]);
  counters.reloads.add(["failed"]);
  const crl = { ...GAUGES, expiries: { ...GAUGES.expiries, crl: 1_700_000_000 }, crlEntries: 3 };
  // Asked twice: nothing is kept from one time to the next.
  await samples(counters, crl);
  const found = await samples(counters, crl);
  for (
    const line of [
      'sallyport_streams_total{kind="connect_request",outcome="ok"} 2',
      'sallyport_streams_total{kind="http_request",outcome="target_denied"} 1',
      'sallyport_user_bytes_total{direction="in"} 11',
      'sallyport_user_bytes_total{direction="out"} 1005',
      'sallyport_refused_connections_total{reason="peer_rejected"} 1',
      'sallyport_reloads_total{outcome="failed"} 1',
      'sallyport_certificate_expiry_timestamp_seconds{of="crl"} 1700000000',
      "sallyport_crl_entries 3",
    ]
  ) assert.ok(found.includes(line), `${line} in\n${found.join("\n")}`);
});

Deno.test("every metric has a help text and a type", async () => {
  const { text, contentType } = await prometheusText(new Counters(), GAUGES);
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  for (const name of new Set((await samples(new Counters())).map((line) => line.split(/[ {]/)[0]!))) {
    assert.match(text, new RegExp(`^# HELP ${name} \\S`, "m"));
    assert.match(text, new RegExp(`^# TYPE ${name} (gauge|counter)$`, "m"));
  }
});
