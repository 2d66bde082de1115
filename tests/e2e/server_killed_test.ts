/** Purpose: a server that is killed in the middle of a transfer leaves the client with a broken body. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { beginDownload, startHalfSendingOrigin, WHOLE_BODY } from "../support/half_sent.ts";
import { startHttpOrigin } from "../support/http_origin.ts";

Deno.test("a killed server breaks downloads off, and the next one serves again", async () => {
  await using chain = await Chain.start();
  await using halves = startHalfSendingOrigin();
  await using origin = startHttpOrigin(() => new Response("back again"));
  const plain = await beginDownload(["-x", chain.proxyUrl, `http://${halves.host}/`]);
  const tunnelled = await beginDownload(["-x", chain.proxyUrl, "-p", `http://${halves.host}/`]);
  await chain.server.stop("SIGKILL");
  for (const { ended } of [plain, tunnelled]) {
    const { code, text } = await ended;
    assert.ok(code === 18 || code === 56, `exit code ${code} of curl tells of a broken transfer`);
    assert.ok(text.length < WHOLE_BODY.length);
  }
  await chain.startServer();
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "back again", errors);
  await chain.finish();
});
