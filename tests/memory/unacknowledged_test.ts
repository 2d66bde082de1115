/**
 * Purpose: a client whose sessions make the server send messages that it never acknowledges costs a bounded amount of
 * memory, and an honest agent is served.
 */
import assert from "node:assert/strict";
import { honestTraffic, startEcho } from "../support/attacks/honest_traffic.ts";
import { connectHostile } from "../support/attacks/hostile_agent.ts";
import { eventually } from "../support/eventually.ts";
import type { RawPeer } from "../support/mux/raw_peer.ts";
import { Chain } from "../support/programs/chain.ts";
import { NO_PROCESS_MEMORY, residentMiB } from "../support/process_stats.ts";

const SESSIONS = 80;
/** Openings of each session that the server refuses. */
const REFUSED = 4_000;
/** MiB of the server: measured 175; 405 without counting what it keeps. */
const MOST = 256;
const ignore = NO_PROCESS_MEMORY !== undefined;

/** Makes the server send resets, which it keeps since none is acknowledged, unless it ends the session. */
async function hoardResets(peer: RawPeer, isOver: () => boolean): Promise<void> {
  for (let first = 0; first < REFUSED; first += 500) {
    const openings = Array.from({ length: 500 }, (_, index) => {
      // Trailers without an end are refused.
      return peer.encode("connect_request", {
        stream: 2 * (first + index) + 1,
        host: "h",
        port: 1,
        trailers: [],
      });
    });
    peer.sendBytes(openings.flat());
  }
  await eventually("every opening is refused, or the session has ended", () => {
    const { length } = peer.all("reset");
    assert.ok(isOver() || length === REFUSED, `${length}`);
  });
}

Deno.test({
  name: `sessions that acknowledge nothing cost bounded memory${ignore ? ` (${NO_PROCESS_MEMORY})` : ""}`,
  ignore,
  async fn() {
    await using chain = await Chain.start({});
    await using echo = startEcho();
    const honest = honestTraffic(chain, echo.host);
    const { pid } = chain.server.process;
    const ended = new Set<RawPeer>();
    const peers: RawPeer[] = [];
    let most = 0;
    for (let i = 0; i < SESSIONS; i++) {
      const peer = await connectHostile(chain);
      peers.push(peer);
      void peer.closed.then(() => ended.add(peer));
      peer.hello();
      await peer.next("hello", 20_000);
      await hoardResets(peer, () => ended.has(peer));
      most = Math.max(most, await residentMiB(pid));
    }
    assert.ok(most < MOST, `${most} MiB`);
    assert.ok(ended.size > 0, "the server ended sessions that it kept too much for");
    assert.ok(await honest.stop() > 3);
    for (const peer of peers) peer.abort();
    await chain.finish();
  },
});
