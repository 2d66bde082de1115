/** Purpose: request bodies arrive complete and unchanged, with and without a length. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { sha256, testBytes } from "../../support/test_bytes.ts";

const SIZE = 24 * 1024 * 1024 + 7;

Deno.test("an upload arrives complete, with a Content-Length and chunked", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin(async (request) => {
    const body = await request.bytes();
    const length = request.headers.get("content-length");
    return new Response(`${request.method} ${length ?? "chunked"} ${sha256(body)}`);
  });
  const bytes = testBytes(SIZE);
  const file = `${chain.dir}/upload`;
  await Deno.writeFile(file, bytes);
  const url = `http://${origin.host}/`;
  const sized = await curl(["-x", chain.proxyUrl, "--data-binary", `@${file}`, url]);
  assert.equal(sized.text, `POST ${SIZE} ${sha256(bytes)}`, sized.errors);
  const chunked = await curl(["-x", chain.proxyUrl, "-T", "-", url], bytes);
  assert.equal(chunked.text, `PUT chunked ${sha256(bytes)}`, chunked.errors);
  await chain.finish();
});

Deno.test("an empty upload stays empty", async () => {
  await using chain = await Chain.start();
  await using origin = startHttpOrigin(async (request) => {
    const body = await request.bytes();
    return new Response(`${request.headers.get("content-length")} ${body.length}`);
  });
  const { text, errors } = await curl(["-x", chain.proxyUrl, "-d", "", `http://${origin.host}/`]);
  assert.equal(text, "0 0", errors);
  await chain.finish();
});
