/** Purpose: the agent reconnects on its own when its server was restarted. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";

Deno.test("requests work after a restart of the server, also one made while it was down", async () => {
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
