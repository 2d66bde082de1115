import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { RawPeer } from "../../tests/support/raw_peer.ts";
import { sessionEnd } from "../../tests/support/session_pair.ts";
import { within } from "../../tests/support/within.ts";
import { turnAway } from "./turn_away.ts";

const WHY = { code: "limit_reached", message: "Cannot let the agent in: full" } as const;

Deno.test("turnAway tells a session why, in place of the hello (SPEC 3.1)", async () => {
  const [near, far] = MemoryTransport.pair();
  const agent = sessionEnd(near, "dialer");
  const clock = new ManualClock();
  turnAway({ transport: far, clock, ...WHY });
  const error = await within(5_000, agent.closed, "the session closes");
  assert.deepEqual([error?.code, error?.message], [WHY.code, WHY.message]);
  await MemoryTransport.settled();
  assert.equal(clock.timers, 0);
});

Deno.test("turnAway sends one frame and cuts a peer that does not take it", async () => {
  const clock = new ManualClock();
  const [near, far] = MemoryTransport.pair();
  const peer = new RawPeer(near);
  turnAway({ transport: far, clock, ...WHY });
  const { payload } = await peer.next("goaway");
  assert.deepEqual(payload, { ...WHY, last_stream: 0 });
  await within(5_000, peer.closed, "the end");
  assert.deepEqual(peer.frames.map(({ type }) => type), ["goaway"]);

  const stuck = {
    aborted: false,
    start() {},
    write() {},
    pause() {},
    resume() {},
    close() {},
    abort: () => void (stuck.aborted = true),
  };
  turnAway({ transport: stuck, clock, code: "limit_reached", message: "x".repeat(9_999) });
  clock.advance(1_000);
  assert.equal(stuck.aborted, true);
});
