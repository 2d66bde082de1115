/**
 * Purpose: a real browser with the agent's proxy script loads one page through the tunnel, one directly, and shows
 * the agent's refusal page for one that is blocked.
 */
import assert from "node:assert/strict";
import { echoWebSocket, startHttpOrigin } from "../support/origins/http_origin.ts";
import { startInProcessChain } from "../support/programs/in_process_chain.ts";
import { Chromium } from "./chromium.ts";

const chromium = await Chromium.installed();
globalThis.addEventListener("unload", () => chromium?.[Symbol.dispose]());
const skip = chromium === undefined ? "no Chromium is installed" : await chromium.whyNot();

Deno.test({
  name: `a headless Chromium follows the agent's proxy script${skip ? ` (skipped: ${skip})` : ""}`,
  ignore: skip !== undefined,
  async fn() {
    const seen = new Map<string, Set<string | null>>();
    await using origin = startHttpOrigin((request) => {
      const name = new URL(request.url).hostname;
      const ways = seen.get(name) ?? new Set();
      seen.set(name, ways.add(request.headers.get("via")));
      if (request.headers.get("upgrade")) return echoWebSocket(request);
      const page = `<title>${name}</title>the page`;
      return new Response(page, { headers: { "content-type": "text/html" } });
    });
    const { port } = origin;
    const here = () => Promise.resolve([{ address: "127.0.0.1" }]);
    await using chain = await startInProcessChain(here, "127.0.0.1", {
      lookup: () => Promise.reject(new Error("the agent must not look up names")),
      environment: {
        SALLYPORT_BYPASS: `direct.example:${port},*.corp.example`,
        SALLYPORT_BLOCK: "blocked.example,pay.corp.example",
      },
    });
    const names = [
      ...["tunnelled.example", "direct.example", "wiki.corp.example", "blocked.example", "pay.corp.example"],
      ...["127.0.0.1", "localhost"],
    ];
    const pages = await chromium!.pages(
      `http://127.0.0.1:${chain.consolePort}/proxy.pac`,
      // The browser resolves only these; it fails to look up any other name.
      ["direct.example", "wiki.corp.example"],
      names.map((name) => `http://${name}:${port}/`),
    );
    const titles = pages.map(({ status, title, received }) => [status, title, received]);
    assert.deepEqual(titles, [
      [200, "tunnelled.example", "hello"],
      [200, "direct.example", "hello"],
      [200, "wiki.corp.example", "hello"],
      [403, "The agent's configuration blocks this target", "nothing"],
      [403, "The agent's configuration blocks this target", "nothing"],
      [200, "127.0.0.1", "hello"],
      [200, "localhost", "hello"],
    ]);
    assert.match(pages[3]!.text, /the agent, on this machine/);
    assert.match(pages[3]!.text, /block\[0\] \(blocked\.example\) of the agent forbids it/);
    const ways = Object.fromEntries([...seen].map(([name, all]) => [name, [...all]]));
    assert.deepEqual(ways, {
      // The page by plain proxying, its WebSocket by CONNECT.
      "tunnelled.example": ["1.1 sallyport", null],
      "direct.example": [null],
      "wiki.corp.example": [null],
      // Browsers do not use the script for loopback addresses.
      "127.0.0.1": [null],
      "localhost": [null],
    });
    await chain[Symbol.asyncDispose]();
    // The browser has requests of its own, which also go through the tunnel and fail.
    const asked = chain.serverTargets.filter((target) => /\.example:|^127\.|^localhost:/.test(target));
    assert.deepEqual(
      new Set(asked),
      new Set([`tunnelled.example:${port}`]),
      "nothing else reached the server",
    );
  },
});
