/** Purpose: `/health` shows load balancers whether the server is ready or draining. */
import assert from "node:assert/strict";
import { ByteReader } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { eventually } from "../../support/eventually.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";

async function healthOf(chain: Chain): Promise<{ status: number; body: Record<string, unknown> }> {
  // A connection of its own: a kept one would look like a leak to the sanitizers.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(`http://127.0.0.1:${chain.healthPort}/health`, { client });
  return { status: response.status, body: await response.json() };
}

Deno.test("/health is 200 when the server is ready, and 503 while it drains", async () => {
  await using chain = await Chain.start();
  await using origin = startHalfSendingOrigin();
  const { ended } = await beginDownload(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  const ready = await healthOf(chain);
  assert.equal(ready.status, 200);
  const { uptime_s, certificate, ca_certificate: authority, ...body } = ready.body;
  assert.deepEqual(body, {
    ...{ state: "ready", connections: 1, agents: 1, streams: 1 },
    ...{ sessions: 1, waiting_sessions: 0, links: 1, resumptions: 0, resent_bytes: 0 },
  });
  assert.ok(Number.isInteger(uptime_s));
  for (const shown of [certificate, authority]) {
    assert.deepEqual(Object.keys(shown as object).sort(), ["days_left", "not_after"]);
  }

  const stopped = chain.server.stop();
  await eventually("the server drains", async () => {
    const { status, body } = await healthOf(chain);
    assert.deepEqual([status, body["state"], body["streams"]], [503, "draining", 1]);
  }, 5_000);
  origin.release();
  assert.deepEqual(await ended, { code: 0, text: WHOLE_BODY });
  assert.equal((await stopped).code, 0);
  await chain.startServer();
  await chain.finish();
});

Deno.test("a stranger at the health port causes no log line", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  const before = chain.server.log.text;
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: chain.healthPort });
  const head = "GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n";
  await connection.write(new TextEncoder().encode(head));
  const answer = new TextDecoder().decode(await new ByteReader(connection).toEnd());
  assert.match(answer, /^HTTP\/1\.1 400 /);
  await chain.server.stop();
  assert.doesNotMatch(chain.server.log.text.slice(before.length), /Error|Host/);
});
