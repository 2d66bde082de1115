/** Purpose: a client that reads slowly stops its own stream and nobody else's. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { openTunnel } from "../support/tunnel_client.ts";
import { writeAll } from "../support/byte_reader.ts";
import { testBytes } from "../support/test_bytes.ts";
import { health } from "../support/zero.ts";

Deno.test("requests pass while other clients do not read at all", async () => {
  await using chain = await Chain.start();
  const bytes = testBytes(48 * 1024 * 1024);
  await using origin = startHttpOrigin((request) => {
    return new URL(request.url).pathname === "/large" ? new Response(bytes) : new Response("small");
  });
  {
    // Bytes for which nobody asks: windows, socket buffers and queues all fill up behind these two.
    using one = await openTunnel(chain.proxyPort, origin.host);
    using two = await openTunnel(chain.proxyPort, origin.host);
    for (const { connection } of [one, two]) {
      await writeAll(connection, `GET /large HTTP/1.1\r\nHost: ${origin.host}\r\n\r\n`);
    }
    for (let round = 0; round < 20; round++) {
      const args = ["-x", chain.proxyUrl, "--max-time", "5", `http://${origin.host}/${round}`];
      const { text, errors } = await curl(args);
      assert.equal(text, "small", errors);
    }
    assert.ok((await health(chain)).streams >= 2, "the slow streams are still there");
  }
  await chain.finish();
});
