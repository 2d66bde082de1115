/** Purpose: one server accepts agents on several ports, such as 443 and 8443, and treats them alike. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { freePort } from "../../support/cloud/moto.ts";

Deno.test("a server on two ports serves agents on both, and refuses both as targets", async () => {
  const ports = [await freePort(), await freePort()];
  await using origin = startHttpOrigin(() => new Response("hello"));
  await using chain = await Chain.prepare({ server: { listen_port: ports } });
  await chain.startServer();
  for (const port of ports) {
    await chain.startAgent({}, { server_port: port });
    const served = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
    assert.equal(served.text, "hello", `${port}: ${chain.agent.log.text}`);
    for (const own of ports) {
      const refused = await curl(["-x", chain.proxyUrl, `http://127.0.0.1:${own}/`]);
      assert.match(refused.text, /^403 Forbidden/, `${own} as a target`);
    }
    if (port === ports[0]) await chain.agent.stop();
  }
  await chain.finish();
});

Deno.test("a server that cannot open one of its ports opens none, and names that one", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = await freePort();
  await using chain = await Chain.prepare({ server: { listen_port: [free, taken.addr.port] } });
  await assert.rejects(chain.startServer());
  assert.equal((await chain.server.ended).code, 1);
  assert.match(chain.server.log.text, new RegExp(`127\\.0\\.0\\.1:${taken.addr.port}`));
  using again = Deno.listen({ hostname: "127.0.0.1", port: free });
  assert.equal(again.addr.port, free);
});
