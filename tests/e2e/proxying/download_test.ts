/** Purpose: response bodies arrive complete and unchanged: with a length, chunked, and ended by the connection. */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { sha256, testBytes } from "../../support/test_bytes.ts";

const SIZE = 48 * 1024 * 1024 + 11;

Deno.test("a download arrives complete, with a Content-Length and chunked", async () => {
  await using chain = await Chain.start();
  const bytes = testBytes(SIZE);
  await using origin = startHttpOrigin((request) => {
    if (new URL(request.url).pathname === "/sized") return new Response(bytes);
    return new Response(new Blob([bytes]).stream());
  });
  for (
    const [path, framing] of [["sized", /content-length: 50331659/i], [
      "chunked",
      /transfer-encoding: chunked/i,
    ]] as const
  ) {
    const head = `${chain.dir}/head`;
    const { code, body, errors } = await curl([
      "-x",
      chain.proxyUrl,
      "-D",
      head,
      `http://${origin.host}/${path}`,
    ]);
    assert.equal(code, 0, errors);
    assert.match(await Deno.readTextFile(head), framing);
    assert.equal(sha256(body), sha256(bytes));
  }
  await chain.finish();
});

Deno.test("a body that ends with its connection arrives complete", async () => {
  await using chain = await Chain.start();
  const bytes = testBytes(3_000_000);
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).head();
    await writeAll(connection, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n");
    await writeAll(connection, bytes);
  });
  const { code, body, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(code, 0, errors);
  assert.equal(sha256(body), sha256(bytes));
  await chain.finish();
});
