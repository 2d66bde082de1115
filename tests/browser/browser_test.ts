/**
 * Purpose: a real browser that uses the agent as its proxy loads a page with pictures, posts with `fetch`, and
 * exchanges messages over WebSockets.
 */
import assert from "node:assert/strict";
import { startSampleOrigin } from "../../scripts/demo/sample_origin.ts";
import { Chain } from "../support/programs/chain.ts";
import { Chromium } from "./chromium.ts";

const chromium = await Chromium.unpack();
globalThis.addEventListener("unload", () => chromium[Symbol.dispose]());
const skip = await chromium.whyNot();

Deno.test({
  name: `a headless Chromium uses a page through the agent${skip ? ` (skipped: ${skip})` : ""}`,
  ignore: skip !== undefined,
  async fn() {
    await using chain = await Chain.start();
    const origin = startSampleOrigin();
    try {
      const visit = await chromium.visit(chain.proxyUrl, `http://127.0.0.1:${origin.port}/`);
      assert.deepEqual(visit, {
        heading: "It works",
        pictures: [160, 8],
        posted: "posted by a browser",
        received: "hello through the tunnel",
        receivedLength: 200_000,
        failures: [],
      });
      await chain.finish();
    } finally {
      await origin.stop();
    }
  },
});
