/**
 * Purpose: tunnels whose readers stopped, in either direction, cost both programs a bounded amount of memory and do not
 * slow others down.
 */
import { createHash } from "node:crypto";
import assert from "node:assert/strict";
import { writeAll } from "../support/byte_reader.ts";
import { Chain } from "../support/programs/chain.ts";
import { MemoryWatch, NO_PROCESS_MEMORY } from "../support/process_stats.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";
import { sha256, testBytes } from "../support/test_bytes.ts";
import { openTunnel, type Tunnel } from "../support/clients/tunnel_client.ts";
import { within } from "../support/within.ts";
import { eventually, eventuallyStable } from "../support/eventually.ts";
import { health } from "../support/programs/status.ts";

const TUNNELS = 100;
const DOWNLOAD = testBytes(32 << 20);
const HASH = sha256(DOWNLOAD);
const ROUNDS = 7;
/** MiB: the bounds of both programs, which use about 70 each when idle. */
const MOST = { server: 256, agent: 256 };
/** How much slower others may be. Without isolation they would stall. */
const SLOWER = 3;

/** Milliseconds of one download, the median of several. */
async function downloadTime(chain: Chain, host: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    using tunnel = await openTunnel(chain.proxyPort, host);
    const hash = await within(20_000, hashOf(tunnel), "a download");
    times.push(performance.now() - began);
    assert.equal(hash, HASH);
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

/** Reads a tunnel to its end. */
async function hashOf({ reader }: Tunnel): Promise<string> {
  const hash = createHash("sha256");
  for (let left = DOWNLOAD.length; left > 0;) {
    const bytes = await reader.some();
    hash.update(bytes);
    left -= bytes.length;
  }
  return hash.digest("hex");
}

/** Opens tunnels that stall in the same way, and measures others before and meanwhile. */
async function measure(
  origin: (connection: Deno.TcpConn) => Promise<void>,
  stall: (tunnel: Tunnel) => Promise<void>,
): Promise<void> {
  poured = 0;
  await using chain = await Chain.start();
  await using stalling = startTcpOrigin(origin);
  await using others = startTcpOrigin((connection) => writeAll(connection, DOWNLOAD));
  const before = await downloadTime(chain, others.host);
  await using watch = new MemoryWatch({ server: chain.server.process.pid, agent: chain.agent.process.pid });
  using tunnels = new DisposableStack();
  const stalled: Promise<void>[] = [];
  for (let index = 0; index < TUNNELS; index++) {
    stalled.push(stall(tunnels.use(await openTunnel(chain.proxyPort, stalling.host))));
  }
  await eventually("all tunnels are open", async () => {
    assert.equal((await health(chain)).streams, TUNNELS);
  });
  // Tunnels to a host that was reached open at once, so most of what the path takes is still on its way.
  await eventuallyStable("the tunnels are stalled", () => poured);
  const during = await downloadTime(chain, others.host);
  const highest = await watch.stop();
  await eventually("the downloads have ended and no stalled tunnel was reset", async () => {
    assert.equal((await health(chain)).streams, TUNNELS);
  });
  const figures = `${JSON.stringify(highest)} MiB, downloads ${before} ms before and ${during} ms meanwhile`;
  assert.ok(highest["server"]! < MOST.server && highest["agent"]! < MOST.agent, figures);
  assert.ok(during < before * SLOWER, figures);
  tunnels.dispose();
  await within(10_000, Promise.all(stalled), "the stalled clients notice");
  await chain.finish();
}

const ignore = NO_PROCESS_MEMORY !== undefined;
const why = ignore ? ` (${NO_PROCESS_MEMORY})` : "";

Deno.test({
  name: `100 clients that never read cost bounded memory and do not slow others down${why}`,
  ignore,
  fn: () => measure((connection) => pourForEver(connection), () => Promise.resolve()),
});

Deno.test({
  name: `100 targets that never read cost bounded memory and do not slow others down${why}`,
  ignore,
  async fn() {
    const over = Promise.withResolvers<void>();
    const stalled = measure(() => over.promise, async ({ connection }) => {
      // It ends when the test closes the connection.
      await pourForEver(connection).catch(() => over.resolve());
    });
    await stalled;
  },
});

/** Bytes that stalled tunnels took. */
let poured = 0;

async function pourForEver(connection: Deno.TcpConn): Promise<void> {
  const chunk = testBytes(256 << 10);
  for (;;) poured += await connection.write(chunk);
}
