/** Purpose: a client that does not read blocks only its own stream. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { openTunnel } from "../../support/clients/tunnel_client.ts";
import { writeAll } from "../../support/byte_reader.ts";
import { testBytes } from "../../support/test_bytes.ts";
import { health } from "../../support/programs/status.ts";

Deno.test("requests are served while other clients do not read at all", async () => {
  await using chain = await Chain.start();
  const bytes = testBytes(48 * 1024 * 1024);
  await using origin = startHttpOrigin((request) => {
    return new URL(request.url).pathname === "/large" ? new Response(bytes) : new Response("small");
  });
  {
    // These two never read: windows, socket buffers and queues all fill up.
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
    assert.ok((await health(chain)).streams >= 2, "the blocked streams are still open");
  }
  await chain.finish();
});
