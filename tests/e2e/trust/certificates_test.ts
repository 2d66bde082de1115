/** Purpose: agent and server work with certificates made by `openssl` as well as by `certs init`. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { whyMissing } from "../../support/tools.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

const noOpenssl = await whyMissing("openssl", "version");

for (const maker of ["init", "openssl"] as const) {
  const skip = maker === "openssl" ? noOpenssl : undefined;
  Deno.test({
    name: `agent and server connect with certificates made by ${maker}${skip ? ` (skipped: ${skip})` : ""}`,
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
