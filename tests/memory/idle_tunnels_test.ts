/** Purpose: a thousand idle tunnels cost little, do not slow traffic down, and leave nothing behind. */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../support/byte_reader.ts";
import { Chain } from "../support/programs/chain.ts";
import { eventually } from "../support/eventually.ts";
import { descriptorsOf, fewDescriptors, NO_PROCESS_MEMORY, residentMiB } from "../support/process_stats.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";
import { sha256, testBytes } from "../support/test_bytes.ts";
import { openTunnel } from "../support/clients/tunnel_client.ts";
import { health } from "../support/programs/status.ts";

const TUNNELS = 1_000;
/** KiB that an idle tunnel may cost in one program, all overhead included; measured: 15 to 40. */
const MOST_PER_TUNNEL = 100;
const ignore = NO_PROCESS_MEMORY !== undefined;

/** Sends bytes through a tunnel and checks the hash of the echo. */
async function echo(chain: Chain, host: string, seed: number): Promise<void> {
  const bytes = testBytes(3_000_000 + seed, seed);
  using tunnel = await openTunnel(chain.proxyPort, host);
  const back = tunnel.reader.exactly(bytes.length);
  await writeAll(tunnel.connection, bytes);
  assert.equal(sha256(await back), sha256(bytes));
}

/** Opens idle tunnels, `32` at a time. */
async function openIdle(chain: Chain, host: string, into: DisposableStack): Promise<void> {
  for (let opened = 0; opened < TUNNELS;) {
    const some = Math.min(32, TUNNELS - opened);
    const tunnels = await Promise.all(Array.from({ length: some }, () => openTunnel(chain.proxyPort, host)));
    for (const tunnel of tunnels) assert.equal(into.use(tunnel).status, 200);
    opened += some;
  }
}

Deno.test({
  name: `1,000 idle tunnels cost little and do not slow traffic down${
    ignore ? ` (${NO_PROCESS_MEMORY})` : ""
  }`,
  ignore,
  async fn() {
    await using chain = await Chain.start();
    await using origin = startTcpOrigin(async (connection) => {
      const reader = new ByteReader(connection);
      for (;;) await writeAll(connection, await reader.some());
    });
    const programs = [chain.agent.process.pid, chain.server.process.pid];
    await echo(chain, origin.host, 1);
    const memory = await Promise.all(programs.map(residentMiB));
    const descriptors = await Promise.all(programs.map(descriptorsOf));
    using tunnels = new DisposableStack();
    await openIdle(chain, origin.host, tunnels);
    assert.equal((await health(chain)).streams, TUNNELS);
    const full = await Promise.all(programs.map(residentMiB));
    for (const [index, before] of memory.entries()) {
      const each = (full[index]! - before) * 1024 / TUNNELS;
      assert.ok(each < MOST_PER_TUNNEL, `${each} KiB for each tunnel; MiB before ${memory}, then ${full}`);
    }
    await Promise.all([2, 3, 4, 5].map((seed) => echo(chain, origin.host, seed)));
    tunnels.dispose();
    await eventually("no stream is left", async () => assert.equal((await health(chain)).streams, 0));
    for (const [index, pid] of programs.entries()) {
      await fewDescriptors(["agent", "server"][index]!, pid, descriptors[index]! + 10);
    }
    await chain.finish();
  },
});
