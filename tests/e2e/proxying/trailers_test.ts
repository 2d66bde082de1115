/** Purpose: trailers of a chunked response reach the client with their case unchanged. */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

Deno.test("curl gets the trailers of a response", async () => {
  await using chain = await Chain.start();
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).head();
    await writeAll(
      connection,
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Time\r\n\r\n",
    );
    await writeAll(connection, "5\r\nhello\r\n0\r\nX-Sum: 532\r\nX-Time: now\r\n\r\n");
  });
  // curl shows trailers as it shows headers, after the body.
  const { text, errors } = await curl(["-x", chain.proxyUrl, "-i", `http://${origin.host}/`]);
  const [head = "", rest] = text.split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Trailer: X-Sum, X-Time\r\n/, errors);
  assert.equal(rest, "helloX-Sum: 532\r\nX-Time: now\r\n");
  await chain.finish();
});
