/** Purpose: the agent comes back by itself when its server was stopped and started again. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { startHttpOrigin } from "../support/http_origin.ts";

Deno.test("requests work again after a restart of the server, also one that was made while it was away", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin((request) => new Response(new URL(request.url).pathname));
  const get = (path: string) => curl(["-x", chain.proxyUrl, `http://${origin.host}${path}`]);
  assert.equal((await get("/before")).text, "/before");
  for (const round of [1, 2]) {
    assert.equal((await chain.server.stop()).code, 0);
    const waiting = get(`/during/${round}`);
    await chain.startServer();
    const { text, errors } = await waiting;
    assert.equal(text, `/during/${round}`, errors);
    assert.equal((await get(`/after/${round}`)).text, `/after/${round}`);
  }
  await chain.finish();
});
