/**
 * Purpose: bytes that come one at a time, for a reader that stopped, cost both programs a bounded amount of memory.
 * An object for each byte would take hundreds of times its credit.
 */
import assert from "node:assert/strict";
import { writeAll } from "../support/byte_reader.ts";
import { Chain } from "../support/chain.ts";
import { eventually } from "../support/eventually.ts";
import { connectHostile } from "../support/hostile_agent.ts";
import { naiveEncode } from "../support/naive_codec.ts";
import { MemoryWatch, NO_PROCESS_MEMORY } from "../support/process_memory.ts";
import { startSilentTarget } from "../support/silent_target.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";
import { openTunnel } from "../support/tunnel_client.ts";
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
function singleBytes(stream: number): Uint8Array {
  const frame = naiveEncode(JSON.stringify({ type: "connect_data", payload: { stream } }), [7]);
  const bytes = new Uint8Array(BLOCK * frame.length);
  for (let i = 0; i < BLOCK; i++) bytes.set(frame, i * frame.length);
  return bytes;
}

/** A client sends single bytes on `streams` streams to a port, and the server works through all of them. */
async function attackServer(chain: Chain, port: number, streams: number): Promise<void> {
  using watch = new MemoryWatch({ server: chain.server.process.pid });
  const peer = await connectHostile(chain);
  peer.hello();
  await peer.next("hello");
  for (let index = 0; index < streams; index++) {
    const stream = 2 * index + 1;
    peer.send("connect_request", { stream, host: "127.0.0.1", port });
    const block = singleBytes(stream);
    for (let sent = 0; sent < BYTES; sent += BLOCK) {
      peer.sendBytes(block);
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
    await using chain = await Chain.start();
    using silent = await startSilentTarget();
    await attackServer(chain, Number(silent.host.split(":")[1]), 10);
    await chain.finish();
  },
});

Deno.test({
  name: `single bytes for a target that does not read cost the server little${why}`,
  ignore,
  async fn() {
    await using chain = await Chain.start();
    const over = Promise.withResolvers<void>();
    await using origin = startTcpOrigin(() => over.promise);
    await attackServer(chain, origin.port, 24);
    over.resolve();
    await chain.finish();
  },
});

Deno.test({
  name: `single bytes of targets for a client that does not read cost both programs little${why}`,
  ignore,
  async fn() {
    await using chain = await Chain.start();
    let written = 0;
    await using origin = startTcpOrigin(async (connection) => {
      connection.setNoDelay(true);
      const byte = new Uint8Array([7]);
      for (;;) {
        await writeAll(connection, byte);
        written++;
      }
    });
    using watch = new MemoryWatch({ server: chain.server.process.pid, agent: chain.agent.process.pid });
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
