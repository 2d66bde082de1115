/**
 * Purpose: a refusal page reloads itself, with and without JavaScript, until it is stopped; its link leads to the
 * guide on the console; in a browser, the proxy port and the console explain what they are.
 */
import assert from "node:assert/strict";
import { VERSION } from "../../shared/version.ts";
import { Chain } from "../support/programs/chain.ts";
import { unusedPort } from "../support/programs/network.ts";
import { Chromium } from "./chromium.ts";

const chromium = await Chromium.unpack();
globalThis.addEventListener("unload", () => chromium[Symbol.dispose]());
const skip = await chromium.whyNot();

Deno.test({
  name: `a refusal page counts down to a retry, and its links work in a browser${
    skip ? ` (skipped: ${skip})` : ""
  }`,
  ignore: skip !== undefined,
  async fn() {
    await using chain = await Chain.prepare();
    await chain.startAgent({}, { server_port: unusedPort() });
    const visit = await chromium.ownPages(chain.proxyUrl, "http://site.example/", [
      `${chain.proxyUrl}/`,
      `http://127.0.0.1:${chain.consolePort}/`,
    ]);
    assert.deepEqual(visit.statuses, [503, 503, 503]);
    assert.match(visit.countdown[0], /^in \d+ seconds?$/);
    assert.equal(visit.countdown[1], "");
    assert.equal(visit.byLink, 503);
    assert.equal(visit.more, "tunnel_down");
    assert.deepEqual(visit.headings, ["This is a proxy", `Sallyport agent ${VERSION}`]);
    assert.deepEqual(visit.consoleErrors, []);
    assert.equal((await chain.agent.stop()).code, 0);
  },
});
