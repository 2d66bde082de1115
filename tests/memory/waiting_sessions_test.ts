/**
 * Purpose: a client that begins sessions by the thousand and leaves each of them waiting for a connection costs the
 * server a bounded amount of memory, and an honest agent is served.
 */
import assert from "node:assert/strict";
import { honestTraffic, startEcho } from "../support/attacks/honest_traffic.ts";
import { connectHostile } from "../support/attacks/hostile_agent.ts";
import { eventually } from "../support/eventually.ts";
import { Chain } from "../support/programs/chain.ts";
import { health } from "../support/programs/status.ts";
import { NO_PROCESS_MEMORY, residentMiB } from "../support/process_stats.ts";
import { testBytes } from "../support/test_bytes.ts";
import { within } from "../support/within.ts";

const MAX_CONNECTIONS = 50;
const SESSIONS = 1_500;
/** After so many the server's memory has to be flat. */
const FIRST_SESSIONS = 1_000;
const AT_ONCE = 10;
/** What each stream holds for a client that does not read, in bytes. */
const HELD = testBytes(60_000);
/** MiB of the server: measured 227 after 1,500 sessions and after 3,000, and 648 after 1,500 without a limit. */
const MOST = 256;
/** MiB by which it may grow once it is flat. */
const MOST_GROWTH = 48;
const ignore = NO_PROCESS_MEMORY !== undefined;

/** Begins a session with a stream, and loses its connection without a word. */
async function leaveWaiting(chain: Chain, port: number): Promise<void> {
  const peer = await connectHostile(chain);
  peer.hello({ window: 1_000 });
  peer.send("connect_request", { stream: 1, host: "127.0.0.1", port }, HELD);
  await peer.next("connect_ack", 20_000);
  peer.abort();
  await within(10_000, peer.closed, "the end of a connection");
}

Deno.test({
  name: `sessions left waiting by the thousand cost bounded memory${ignore ? ` (${NO_PROCESS_MEMORY})` : ""}`,
  ignore,
  async fn() {
    await using chain = await Chain.start({
      server: { max_connections: MAX_CONNECTIONS, resume_timeout: "5s" },
    });
    await using echo = startEcho();
    const honest = honestTraffic(chain, echo.host);
    const { pid } = chain.server.process;
    let [first, last] = [0, 0];
    for (let begun = 0; begun < SESSIONS; begun += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => leaveWaiting(chain, echo.port)));
      last = Math.max(last, await residentMiB(pid));
      if (begun < FIRST_SESSIONS) first = last;
    }
    await eventually("no more sessions wait than may", async () => {
      const { streams, agents } = await health(chain);
      assert.equal(agents, MAX_CONNECTIONS + 1, "the honest one counts, too");
      assert.ok(streams >= MAX_CONNECTIONS && streams <= MAX_CONNECTIONS + 5, `${streams} streams`);
    });
    assert.ok(last < MOST && last - first < MOST_GROWTH, `${first} MiB at first, then up to ${last}`);
    assert.ok(await honest.stop() > 10);
    await chain.finish();
  },
});
