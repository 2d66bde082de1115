/** Purpose: when an origin fails in the middle of a body, the client gets a truncated body, never a clean end. */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

const FRAMINGS = {
  "with a Content-Length": "Content-Length: 100\r\n\r\nhalf of it",
  "in chunks": "Transfer-Encoding: chunked\r\n\r\na\r\nhalf of it\r\n",
};

for (const [how, rest] of Object.entries(FRAMINGS)) {
  Deno.test(`a body ${how} that is truncated by the origin is truncated for the client`, async () => {
    await using chain = await Chain.start();
    await using origin = startTcpOrigin(async (connection) => {
      await new ByteReader(connection).head();
      await writeAll(connection, `HTTP/1.1 200 OK\r\n${rest}`);
    });
    const { code, text } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
    // Bytes in flight when the origin failed may be lost, but nothing may be added.
    assert.ok("half of it".startsWith(text), text);
    assert.equal(code, 18, "curl: transfer closed with data remaining");
    await chain.finish();
  });
}
