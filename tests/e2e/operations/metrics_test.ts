/** Purpose: the server's `/metrics` counts what passed, who was refused and how long certificates last. */
import assert from "node:assert/strict";
import { clientOf, startWithList, writeCrl } from "../../support/programs/chain_authority.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { metrics } from "../../support/programs/metrics.ts";
import { health } from "../../support/programs/status.ts";

Deno.test("the metrics have connections, streams, bytes, refusals, reloads and certificates", async () => {
  await using chain = await startWithList();
  await using origin = startHttpOrigin(() => new Response("x".repeat(10_000)));
  const get = (url: string, ...flags: string[]) => curl(["-x", chain.proxyUrl, ...flags, url]);
  assert.equal((await get(`http://${origin.host}/`)).text.length, 10_000);
  assert.equal((await get(`http://${origin.host}/`, "-p")).text.length, 10_000);
  await get("http://192.168.255.1/");
  const found = await eventually("three streams are counted", async () => {
    const now = await metrics(chain);
    assert.equal(now.get('sallyport_streams_total{kind="http_request",outcome="ok"}'), 1);
    assert.equal(now.get('sallyport_streams_total{kind="connect_request",outcome="ok"}'), 1);
    assert.equal(now.get('sallyport_streams_total{kind="http_request",outcome="target_denied"}'), 1);
    return now;
  });
  assert.ok(found.get('sallyport_user_bytes_total{direction="out"}')! >= 20_000);
  assert.ok(found.get('sallyport_user_bytes_total{direction="in"}')! > 0);
  assert.equal(found.get("sallyport_connections"), 1);
  assert.equal(found.get("sallyport_agents"), 1);
  assert.equal(found.get("sallyport_open_streams"), 0);
  assert.equal(found.get("sallyport_crl_entries"), 0);
  const { certificate, ca_certificate, crl } = await health(chain);
  const ends = { own: certificate.not_after, ca: ca_certificate.not_after, crl: crl!.next_update };
  for (const [of, time] of Object.entries(ends)) {
    const name = `sallyport_certificate_expiry_timestamp_seconds{of="${of}"}`;
    assert.equal(found.get(name), Date.parse(time) / 1000, name);
  }

  await writeCrl(chain, { revoked: [await clientOf(chain)] });
  await eventually("a refusal and a reload are counted", async () => {
    const now = await metrics(chain);
    assert.ok(now.get('sallyport_refused_connections_total{reason="peer_rejected"}')! >= 1);
    assert.equal(now.get('sallyport_reloads_total{outcome="ok"}'), 1);
    assert.equal(now.get("sallyport_crl_entries"), 1);
    assert.equal(now.get("sallyport_connections"), 0);
  });
  await chain.finish();
});
