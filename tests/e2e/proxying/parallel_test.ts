/** Purpose: many concurrent requests, from curl and from Deno's own client, each get their own response. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { proxyClient } from "../../support/clients/proxy_client.ts";
import { sha256, testBytes } from "../../support/test_bytes.ts";

for (const [how, flags] of [["plain", []], ["through CONNECT", ["-p"]]] as const) {
  Deno.test(`curl gets 200 pages, 64 at a time, ${how}`, async () => {
    await using chain = await Chain.start();
    await using origin = startHttpOrigin((request) =>
      new Response(`page ${new URL(request.url).pathname.slice(1)}`)
    );
    const { code, errors } = await curl([
      ...["-x", chain.proxyUrl, ...flags, "-Z", "--parallel-immediate", "--parallel-max", "64"],
      ...["-o", `${chain.dir}/page_#1`, `http://${origin.host}/[1-200]`],
    ]);
    assert.equal(code, 0, errors);
    for (let page = 1; page <= 200; page++) {
      assert.equal(await Deno.readTextFile(`${chain.dir}/page_${page}`), `page ${page}`);
    }
    await chain.finish();
  });
}

Deno.test("fetch with a proxy sends 128 bodies, 32 at a time, and gets the matching responses", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin(async (request) => {
    return new Response(sha256(await request.bytes()), {
      headers: { via: request.headers.get("via") ?? "none" },
    });
  });
  {
    using client = proxyClient(chain.proxyUrl);
    const post = async (seed: number) => {
      const body = testBytes(50_000 + seed, seed);
      const response = await fetch(`http://${origin.host}/`, { method: "POST", body, client });
      assert.equal(await response.text(), sha256(body));
      assert.match(response.headers.get("via") ?? "", /^1\.1 /, "the request came through the proxy");
    };
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 32 }, (_, index) => post(round * 32 + index + 1)));
    }
  }
  await chain.finish();
});
