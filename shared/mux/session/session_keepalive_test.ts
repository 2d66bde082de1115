import assert from "node:assert/strict";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { type RawPair, rawTest } from "../../../tests/support/mux/session_suite.ts";
import { within } from "../../../tests/support/within.ts";

rawTest("answers a ping with its nonce (SPEC 3.2)", {}, async ({ peer }) => {
  for (const nonce of [0, 42, Number.MAX_SAFE_INTEGER]) {
    peer.send("ping", { nonce });
    assert.equal((await peer.next("pong")).payload.nonce, nonce);
  }
});

rawTest("pings a silent peer after 5 s and gives up 4 s later (SPEC 3.2)", {}, async (pair) => {
  const { end, peer, clock } = pair;
  const streamOver = streamEnd(await pair.accepted());
  clock.advance(4_999);
  await assertNoPing(pair);
  clock.advance(6_000);
  await peer.next("ping");
  assert.equal(end.session.state, "open");
  clock.advance(4_000);
  const error = await within(5_000, end.closed, "the end");
  assert.equal(error?.code, "tunnel_down");
  assert.match(error.message, /^Cannot reach the peer: silent for \d/);
  assert.equal((await streamOver)?.code, "tunnel_down");
});

rawTest("stays open while the peer answers (SPEC 3.2)", {}, async ({ end, peer, clock }) => {
  for (let i = 0; i < 3; i++) {
    clock.advance(6_000);
    const ping = await peer.next("ping");
    peer.send("pong", ping.payload);
    await peer.settled();
  }
  assert.equal(end.session.state, "open");
});

rawTest("pings at once after a sleep (SPEC 3.2)", {}, async ({ end, peer, clock }) => {
  clock.advance(1_000);
  clock.jumpWall(600_000);
  clock.advance(1_000);
  await peer.next("ping");
  clock.advance(4_000);
  assert.equal((await within(5_000, end.closed, "the end"))?.code, "tunnel_down");
});

rawTest("measures the round trip among other pings (SPEC 3.2)", {}, async (pair) => {
  const { end, peer, clock } = pair;
  const first = end.session.ping();
  const { payload } = await peer.next("ping");
  const second = end.session.ping();
  await peer.next("ping");
  peer.send("pong", { nonce: payload.nonce + 1_000 });
  await peer.settled();
  clock.advance(30);
  peer.send("pong", payload);
  assert.equal(await within(5_000, first, "the round trip"), 30);
  end.session.close("going_away", "enough");
  await assert.rejects(within(5_000, second, "the end"), { code: "going_away", message: "enough" });
  await assert.rejects(end.session.ping(), { code: "going_away" });
});

/** Asserts that the session has sent no ping so far. */
async function assertNoPing({ peer }: RawPair): Promise<void> {
  await peer.settled();
  assert.deepEqual(peer.all("ping"), []);
}
