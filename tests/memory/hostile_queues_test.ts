/**
 * Purpose: an agent that opens thousands of streams to targets that send without end, and reads nothing, gets no more
 * of the server's memory than the limit of all streams, and an honest agent is served.
 */
import assert from "node:assert/strict";
import { writeAll } from "../support/byte_reader.ts";
import { Chain } from "../support/programs/chain.ts";
import { curl } from "../support/clients/curl.ts";
import { eventually } from "../support/eventually.ts";
import { connectHostile } from "../support/attacks/hostile_agent.ts";
import { startHttpOrigin } from "../support/origins/http_origin.ts";
import { MemoryWatch, NO_PROCESS_MEMORY } from "../support/process_stats.ts";
import type { RawPeer } from "../support/mux/raw_peer.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";
import { testBytes } from "../support/test_bytes.ts";
import { within } from "../support/within.ts";

const CONNECTIONS = 4;
/** Of each connection; each could hold 300 KiB, more than 1 GiB in all. */
const STREAMS = 1_000;
/**
 * MiB: the limit of all streams (80), the process itself (75), and garbage of reset streams that is not yet collected.
 * Measured: 222 to 243, also with another busy process; 310 without a collection, and 770 without a limit.
 */
const MOST = 256;
const ignore = NO_PROCESS_MEMORY !== undefined;

/** Opens streams and reads none of them, and waits until the server has processed them. */
async function openAll(peer: RawPeer, port: number): Promise<void> {
  peer.hello({ window: 1 });
  await peer.next("hello");
  for (let index = 0; index < STREAMS; index++) {
    peer.send("connect_request", { stream: 2 * index + 1, host: "127.0.0.1", port });
    if (index % 25 !== 24) continue;
    peer.send("ping", { nonce: index });
    await peer.next("pong", 20_000);
  }
}

Deno.test({
  name: `a hostile agent that reads nothing gets no more memory than the limit of all streams${
    ignore ? ` (${NO_PROCESS_MEMORY})` : ""
  }`,
  ignore,
  async fn() {
    await using chain = await Chain.start({ server: { resume_timeout: "0s" } });
    await using flooding = startTcpOrigin(async (connection) => {
      for (const chunk = testBytes(131_072);;) await writeAll(connection, chunk);
    });
    await using origin = startHttpOrigin(() => new Response("small"));
    await using watch = new MemoryWatch({ server: chain.server.process.pid });
    const peers = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectHostile(chain)));
    const opened = Promise.all(peers.map((peer) => openAll(peer, flooding.port)));
    for (let round = 0; round < 5; round++) {
      const { text, errors } = await curl([
        "-x",
        chain.proxyUrl,
        "--max-time",
        "10",
        `http://${origin.host}/`,
      ]);
      assert.equal(text, "small", errors);
    }
    await within(40_000, opened, "the server has seen all streams");
    await eventually("streams are reset because of their memory", () => {
      const resets = peers.flatMap((peer) => peer.all("reset")).filter(({ payload }) => {
        return payload.code === "limit_reached" && /bytes exceed the memory limit/.test(payload.message);
      });
      assert.ok(resets.length > 100, `${resets.length} resets`);
    });
    const highest = await watch.stop();
    assert.ok(highest["server"]! < MOST, `${highest["server"]} MiB`);
    for (const peer of peers) peer.close();
    await Promise.all(peers.map((peer) => within(10_000, peer.closed, "the end of a connection")));
    await chain.finish();
  },
});
