/**
 * Purpose: bytes that arrive one at a time for a reader that stopped cost both programs a bounded amount of memory. An
 * object for each byte would use hundreds of times its credit.
 */
import assert from "node:assert/strict";
import { writeAll } from "../support/byte_reader.ts";
import { Chain } from "../support/programs/chain.ts";
import { eventually } from "../support/eventually.ts";
import { connectHostile } from "../support/attacks/hostile_agent.ts";
import type { RawPeer } from "../support/mux/raw_peer.ts";
import { MemoryWatch, NO_PROCESS_MEMORY } from "../support/process_stats.ts";
import { startSilentTarget } from "../support/origins/silent_target.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";
import { openTunnel } from "../support/clients/tunnel_client.ts";
import { within } from "../support/within.ts";

/** MiB of either program. */
const MOST = 256;
/** Bytes of each stream, within its first window. */
const BYTES = 200_000;
/** Frames of one write. */
const BLOCK = 10_000;
/** Tunnels of targets, and the bytes that each target sends. */
const TUNNELS = 24;
const EACH = 50_000;
const ignore = NO_PROCESS_MEMORY !== undefined;
const why = ignore ? ` (${NO_PROCESS_MEMORY})` : "";

/** Many frames of one byte each. */
function singleBytes(peer: RawPeer, stream: number): number[] {
  return Array.from({ length: BLOCK }, () => peer.encode("connect_data", { stream }, [7])).flat();
}

/** A client sends single bytes on `streams` streams to a port, and the server processes all of them. */
async function attackServer(chain: Chain, port: number, streams: number): Promise<void> {
  await using watch = new MemoryWatch({ server: chain.server.process.pid });
  const peer = await connectHostile(chain);
  peer.hello();
  await peer.next("hello");
  for (let index = 0; index < streams; index++) {
    const stream = 2 * index + 1;
    peer.send("connect_request", { stream, host: "127.0.0.1", port });
    for (let sent = 0; sent < BYTES; sent += BLOCK) {
      peer.sendBytes(singleBytes(peer, stream));
      peer.send("ping", { nonce: sent });
      await peer.next("pong", 20_000);
    }
  }
  const highest = await watch.stop();
  assert.ok(highest["server"]! < MOST, `${highest["server"]} MiB`);
  peer.close();
  await within(10_000, peer.closed, "the end of the connection");
}

Deno.test({
  name: `single bytes for a target that does not answer cost the server little${why}`,
  ignore,
  async fn() {
    await using chain = await Chain.start({ server: { resume_timeout: "0s" } });
    using silent = await startSilentTarget();
    await attackServer(chain, Number(silent.host.split(":")[1]), 10);
    await chain.finish();
  },
});

Deno.test({
  name: `single bytes for a target that does not read cost the server little${why}`,
  ignore,
  async fn() {
    await using chain = await Chain.start({ server: { resume_timeout: "0s" } });
    const over = Promise.withResolvers<void>();
    await using origin = startTcpOrigin(() => over.promise);
    await attackServer(chain, origin.port, 24);
    over.resolve();
    await chain.finish();
  },
});

Deno.test({
  name: `single bytes from targets to a client that does not read cost both programs little${why}`,
  ignore,
  async fn() {
    await using chain = await Chain.start({ server: { resume_timeout: "0s" } });
    let written = 0;
    await using origin = startTcpOrigin(async (connection) => {
      connection.setNoDelay(true);
      const byte = new Uint8Array([7]);
      for (;;) {
        await writeAll(connection, byte);
        written++;
      }
    });
    await using watch = new MemoryWatch({ server: chain.server.process.pid, agent: chain.agent.process.pid });
    using tunnels = new DisposableStack();
    for (let i = 0; i < TUNNELS; i++) tunnels.use(await openTunnel(chain.proxyPort, origin.host));
    await eventually(
      "the targets sent their bytes",
      () => assert.ok(written >= TUNNELS * EACH, `${written}`),
      60_000,
    );
    const highest = await watch.stop();
    assert.ok(highest["server"]! < MOST && highest["agent"]! < MOST, `${JSON.stringify(highest)} MiB`);
    tunnels.dispose();
    await chain.finish();
  },
});
