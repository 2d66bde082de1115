import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { RawPeer } from "../../../tests/support/mux/raw_peer.ts";
import { sessionEnd } from "../../../tests/support/mux/session_pair.ts";
import { within } from "../../../tests/support/within.ts";
import { refuseConnection } from "./goaway.ts";

const REASON = { code: "limit_reached", message: "Cannot accept the agent: full" } as const;

Deno.test("refuseConnection sends the reason instead of a hello (SPEC 3.1)", async () => {
  const [near, far] = MemoryTransport.pair();
  const agent = sessionEnd(near, "dialer");
  const clock = new ManualClock();
  refuseConnection({ transport: far, clock, ...REASON });
  const error = await within(5_000, agent.closed, "the session closes");
  assert.deepEqual([error?.code, error?.message], [REASON.code, REASON.message]);
  await MemoryTransport.settled();
  assert.equal(clock.timers, 0);
});

Deno.test("refuseConnection sends one frame, and cuts a connection that does not take it", async () => {
  const clock = new ManualClock();
  const [near, far] = MemoryTransport.pair();
  const peer = new RawPeer(near);
  refuseConnection({ transport: far, clock, ...REASON });
  const { payload } = await peer.next("goaway");
  assert.deepEqual(payload, { ...REASON, last_stream: 0 });
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
  refuseConnection({ transport: stuck, clock, code: "limit_reached", message: "x".repeat(9_999) });
  clock.advance(1_000);
  assert.equal(stuck.aborted, true);
});
