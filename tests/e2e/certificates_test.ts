/** Purpose: certificates made by `openssl` serve as well as those of `certs init`, and no certificate serves not. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { whyMissing } from "../support/tools.ts";
import { agentStatus, health } from "../support/zero.ts";
import { eventually } from "../support/eventually.ts";

const noOpenssl = await whyMissing("openssl", "version");

for (const maker of ["init", "openssl"] as const) {
  const skip = maker === "openssl" ? noOpenssl : undefined;
  Deno.test({
    name: `certificates made by ${maker} let agent and server talk${skip ? ` (skipped: ${skip})` : ""}`,
    ignore: skip !== undefined,
    async fn() {
      await using chain = await Chain.start({ certificates: maker });
      await using origin = startHttpOrigin(() => new Response("hello"));
      const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
      assert.equal(text, "hello", errors);
      const { state, connections } = await agentStatus(chain);
      assert.equal(state, "ready");
      assert.ok(connections >= 1);
      assert.equal((await health(chain)).connections, connections);
      await chain.finish();
    },
  });
}

Deno.test("an agent with a certificate of another CA is not let in", async () => {
  await using chain = await Chain.prepare();
  await using stranger = await Chain.prepare();
  await chain.startServer();
  for (const name of ["client.crt", "client.key"]) {
    await Deno.copyFile(`${stranger.dir}/certs/${name}`, `${chain.dir}/certs/${name}`);
  }
  await chain.startAgent();
  await eventually("the agent noticed", async () => {
    assert.equal((await agentStatus(chain)).state, "failed");
  });
  assert.equal((await health(chain)).connections, 0);
  await chain.finish();
});
