/**
 * Purpose: requests on one keep-alive connection to the proxy are handled independently, whatever their targets, and
 * connections to origins are reused.
 */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

Deno.test("one client connection serves several origins in turn", async () => {
  await using chain = await Chain.start();
  await using one = startHttpOrigin(() => new Response("one "));
  await using two = startHttpOrigin(() => new Response("two "));
  const urls = [one, two, one, two].map(({ host }) => `http://${host}/`);
  const { text, errors } = await curl(["-x", chain.proxyUrl, "-w", "[%{num_connects}]", ...urls]);
  assert.equal(text, "one [1]two [0]one [0]two [0]", errors);
  await chain.finish();
});

Deno.test("requests to one origin reuse its connection, even for different clients", async () => {
  await using chain = await Chain.start();
  await using origin = startTcpOrigin(async (connection) => {
    const reader = new ByteReader(connection);
    for (;;) {
      await reader.head();
      await writeAll(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  for (let index = 0; index < 4; index++) {
    const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/${index}`]);
    assert.equal(text, "ok", errors);
  }
  assert.equal(origin.accepted, 1);
  await chain.finish();
});
