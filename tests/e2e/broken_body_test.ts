/** Purpose: an origin that dies in the middle of a body gives the client a broken body, never a clean end. */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../support/byte_reader.ts";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";

const HEADS = {
  "with a Content-Length": "Content-Length: 100\r\n\r\nhalf of it",
  "in chunks": "Transfer-Encoding: chunked\r\n\r\na\r\nhalf of it\r\n",
};

for (const [how, rest] of Object.entries(HEADS)) {
  Deno.test(`a body ${how} that breaks off at the origin breaks off at the client`, async () => {
    await using chain = await Chain.start();
    await using origin = startTcpOrigin(async (connection) => {
      await new ByteReader(connection).head();
      await writeAll(connection, `HTTP/1.1 200 OK\r\n${rest}`);
    });
    const { code, text } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
    // What was on the way when the origin died may be lost, but nothing may be made up.
    assert.ok("half of it".startsWith(text), text);
    assert.equal(code, 18, "curl: transfer closed with data remaining");
    await chain.finish();
  });
}
