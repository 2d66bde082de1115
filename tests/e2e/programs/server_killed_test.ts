/** Purpose: a server that is killed in the middle of a transfer leaves the client with a broken body. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../../support/clients/half_sent.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";

Deno.test("a killed server breaks downloads, and the next one serves again", async () => {
  await using chain = await Chain.start({ agent: { resume_timeout: "1s" } });
  await using halves = startHalfSendingOrigin();
  await using origin = startHttpOrigin(() => new Response("back again"));
  const plain = await beginDownload(["-x", chain.proxyUrl, `http://${halves.host}/`]);
  const tunnelled = await beginDownload(["-x", chain.proxyUrl, "-p", `http://${halves.host}/`]);
  await chain.server.stop("SIGKILL");
  for (const { ended } of [plain, tunnelled]) {
    const { code, text } = await ended;
    assert.ok(code === 18 || code === 56, `exit code ${code} of curl for a broken transfer`);
    assert.ok(text.length < WHOLE_BODY.length);
  }
  await chain.startServer();
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "back again", errors);
  await chain.finish();
});
