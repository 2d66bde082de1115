/**
 * Purpose: when one certificate uses all connections of the server, one is closed for an agent with another
 * certificate, which loses none of its own afterwards.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { connectHostile } from "../../support/attacks/hostile_agent.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { metrics } from "../../support/programs/metrics.ts";
import type { RawPeer } from "../../support/mux/raw_peer.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

const MAX = 4;

async function connectGreedy(chain: Chain): Promise<RawPeer> {
  const peer = await connectHostile(chain);
  peer.hello();
  return peer;
}

Deno.test("a certificate that uses all connections gives way to another one", async () => {
  await using chain = await Chain.prepare({ server: { max_connections: MAX } });
  await chain.startServer();
  const greedy: RawPeer[] = [];
  for (let i = 0; i < MAX; i++) {
    const peer = await connectGreedy(chain);
    await peer.next("hello");
    greedy.push(peer);
  }
  assert.equal((await health(chain)).connections, MAX);

  await chain.startAgent();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const get = async () => (await curl(["-x", chain.proxyUrl, `http://${origin.host}/`])).text;
  assert.equal(await get(), "hello");
  const { payload } = await greedy[0]!.next("goaway");
  assert.equal(payload["code"], "limit_reached");
  assert.match(String(payload["message"]), /this certificate has the most/);
  await chain.server.log.waitFor("agent evicted");

  const again = await connectGreedy(chain);
  assert.equal((await again.next("goaway")).payload["code"], "limit_reached");
  assert.equal(await get(), "hello");
  assert.equal((await agentStatus(chain)).connections, 1);
  const found = await metrics(chain);
  assert.equal(found.get('sallyport_limit_used{limit="connections"}'), MAX);
  assert.equal(found.get('sallyport_limit_largest_share{limit="connections"}'), MAX - 1);
  assert.equal(found.get('sallyport_limit_denied_total{limit="connections",how="evicted"}'), 1);
  assert.equal(found.get('sallyport_limit_denied_total{limit="connections",how="refused"}'), 1);

  for (const peer of [...greedy, again]) peer.abort();
  await Promise.all([...greedy, again].map(({ closed }) => closed));
  await chain.finish();
});
