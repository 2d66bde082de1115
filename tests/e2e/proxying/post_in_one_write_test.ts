/**
 * Purpose: a request whose head and body are sent in one write arrives complete. The agent reads the first bytes
 * before the HTTP parser does, and later bytes must not overtake them.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { proxyClient } from "../../support/clients/proxy_client.ts";
import { sha256, testBytes } from "../../support/test_bytes.ts";

Deno.test("fetch sends 40 large bodies, each on a new connection", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin(async (request) => new Response(sha256(await request.bytes())));
  for (let round = 1; round <= 40; round++) {
    using client = proxyClient(chain.proxyUrl);
    const body = testBytes(400_000 + round * 10_000, round);
    const response = await fetch(`http://${origin.host}/`, { method: "POST", body, client });
    assert.equal(await response.text(), sha256(body), `round ${round}: status ${response.status}`);
  }
  await chain.finish();
});
