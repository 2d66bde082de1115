/**
 * Purpose: a request whose head and body leave in one write arrives whole. The agent looks at its first byte before
 * the HTTP parser gets it, and what follows must not overtake it.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { proxyClient } from "../support/proxy_client.ts";
import { sha256, testBytes } from "../support/test_bytes.ts";

Deno.test("fetch sends 40 large bodies, each as the first bytes of its connection", async () => {
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
