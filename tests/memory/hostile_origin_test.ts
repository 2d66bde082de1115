/**
 * Purpose: an origin that sends interim responses without end costs both programs a bounded amount of memory, and other
 * clients are served meanwhile.
 */
import assert from "node:assert/strict";
import { writeAll } from "../support/byte_reader.ts";
import { Chain } from "../support/programs/chain.ts";
import { curl } from "../support/clients/curl.ts";
import { startHttpOrigin } from "../support/origins/http_origin.ts";
import { MemoryWatch, NO_PROCESS_MEMORY } from "../support/process_stats.ts";
import { RawClient } from "../support/clients/raw_client.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";

/** MiB. Without a limit for interim responses the server used 2,895, and served no other request within 10 s. */
const MOST = 256;
const ignore = NO_PROCESS_MEMORY !== undefined;
const why = ignore ? ` (${NO_PROCESS_MEMORY})` : "";

const REQUESTS = 50;
const INTERIM = new TextEncoder().encode("HTTP/1.1 102 Processing\r\n\r\n".repeat(2_400));

Deno.test({
  name: `endless interim responses cost bounded memory, and others are served${why}`,
  ignore,
  async fn() {
    await using chain = await Chain.start();
    await using flooding = startTcpOrigin(async (connection) => {
      for (;;) await writeAll(connection, INTERIM);
    });
    await using watch = new MemoryWatch({ server: chain.server.process.pid, agent: chain.agent.process.pid });
    const clients = Array.from({ length: REQUESTS }, () => new RawClient(chain.proxyPort, 30_000));
    const request =
      `GET http://${flooding.host}/ HTTP/1.1\r\nHost: ${flooding.host}\r\nConnection: close\r\n\r\n`;
    for (const client of clients) client.send(request);
    await assertServed(chain);
    for (const client of clients) assert.match(await client.rest(), /HTTP\/1\.1 502 /);
    const highest = await watch.stop();
    assert.ok(highest["server"]! < MOST && highest["agent"]! < MOST, `${JSON.stringify(highest)} MiB`);
    await Promise.all(clients.map((client) => client.close()));
    await chain.finish();
  },
});

async function assertServed(chain: Chain): Promise<void> {
  await using origin = startHttpOrigin(() => new Response("small"));
  const { text, errors } = await curl(["-x", chain.proxyUrl, "--max-time", "20", `http://${origin.host}/`]);
  assert.equal(text, "small", errors);
}
