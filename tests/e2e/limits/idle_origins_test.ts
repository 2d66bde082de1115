/**
 * Purpose: a client that requests one origin after another leaves a bounded number of kept connections behind, and
 * evicts none of another client's.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Chain } from "../../support/programs/chain.ts";
import { openFiles } from "../../support/programs/open_files.ts";
import { NO_PROCESS_MEMORY } from "../../support/process_stats.ts";
import { metrics } from "../../support/programs/metrics.ts";
import { startSecondAgent } from "../../support/programs/second_agent.ts";
import { RawClient } from "../../support/clients/raw_client.ts";
import { terminal } from "../../../shared/cli/terminal.ts";

/** Requests, each to a different origin. */
const ORIGINS = 2_000;
const AT_ONCE = 16;
/** Idle connections that the server keeps. */
const MAX_IDLE = 256;
/** The most connections of an agent. */
const LINKS = 8;

/** An origin at every address of 127.0.0.0/8. */
async function startOrigins() {
  let accepted = 0;
  const server = createServer((_, response) => response.end("ok")).on("connection", () => accepted++);
  // Only the server under test closes connections.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function get(client: RawClient, host: string): Promise<void> {
  client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  assert.match(await client.readTo("\r\n\r\n"), /^HTTP\/1\.1 200 /);
  assert.match(await client.readTo("ok"), /ok$/);
  // The last chunk, if the body is chunked.
  client.text = "";
}

const notLinux = NO_PROCESS_MEMORY === undefined
  ? undefined
  : "only Linux has the whole of 127.0.0.0/8 and counts open files";
Deno.test({
  name: `requests to thousands of origins leave few connections behind${
    notLinux ? ` (skipped: ${notLinux})` : ""
  }`,
  ignore: notLinux !== undefined,
  async fn() {
    await using chain = await Chain.start();
    await using other = await startSecondAgent(chain);
    await using origins = await startOrigins();
    const honest = new RawClient(other.proxyPort);
    await get(honest, `127.0.0.1:${origins.port}`);
    const before = (await openFiles(chain)).server;
    const greedy = Array.from({ length: AT_ONCE }, () => new RawClient(chain.proxyPort, 20_000));
    await Promise.all(greedy.map(async (client, i) => {
      for (let n = i; n < ORIGINS; n += AT_ONCE) {
        await get(client, `127.1.${n >> 8}.${n & 255}:${origins.port}`);
      }
    }));
    const after = (await openFiles(chain)).server;
    const figures = await metrics(chain);
    const kept = figures.get('sallyport_limit_used{limit="idle_origins"}')!;
    terminal.out(`open files ${before} before, ${after} after\n`);
    assert.equal(kept, MAX_IDLE);
    assert.ok(after - before < MAX_IDLE + LINKS, `${after - before} more open files`);
    assert.equal(
      figures.get('sallyport_limit_denied_total{limit="idle_origins",how="evicted"}'),
      ORIGINS + 1 - MAX_IDLE,
    );
    assert.equal(origins.accepted, ORIGINS + 1);
    await get(honest, `127.0.0.1:${origins.port}`);
    assert.equal(origins.accepted, ORIGINS + 1, "the other client's connection was kept");
    await Promise.all([honest, ...greedy].map((client) => client.close()));
    assert.equal((await other.agent.stop()).code, 0);
    await chain.finish();
  },
});
