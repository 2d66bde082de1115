import assert from "node:assert/strict";
import { collect } from "../../tests/support/collect.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { over } from "../../tests/support/over.ts";
import { RawPeer } from "../../tests/support/raw_peer.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { OPENING, sessionTest } from "../../tests/support/session_suite.ts";
import { within } from "../../tests/support/within.ts";
import { SallyportError } from "../errors.ts";
import { Session } from "./session.ts";
import type { SessionEvents } from "./session_events.ts";
import type { StreamEvents } from "./stream_events.ts";

const bug = new TypeError("a bug of the room");
const fail = () => {
  throw bug;
};

for (const event of ["message", "data", "end"] as const satisfies (keyof StreamEvents)[]) {
  sessionTest(
    `resets only the stream whose ${event} callback throws`,
    {},
    async ({ opener, accepter, open }) => {
      const { near, far } = await open();
      const other = await open();
      const farOver = over(far);
      const nearOver = Promise.withResolvers<SallyportError | undefined>();
      near.listen({ [event]: fail, closed: nearOver.resolve });
      near.resume();
      far.write(new Uint8Array(10));
      far.end();
      const error = await within(5_000, nearOver.promise, "the reset");
      assert.deepEqual([error?.code, error?.cause], ["internal", bug]);
      const told = await farOver;
      assert.equal(told?.code, "internal");
      assert.doesNotMatch(told.message, /bug/, "what was thrown is nobody else's business");
      assert.deepEqual(opener.faults.splice(0), [error]);
      assert.deepEqual([opener.session.state, accepter.session.state], ["open", "open"]);
      const got = collect(other.far);
      other.near.write(new Uint8Array(100_000));
      other.near.end();
      assert.equal((await within(5_000, got, "the other stream")).bytes.byteLength, 100_000);
      other.far.end();
      assert.equal(await over(other.near), undefined);
    },
  );
}

sessionTest("resets only the stream whose drain callback throws", {
  opener: { queueHighMark: 1_000, queueLowMark: 10 },
}, async ({ opener, open }) => {
  const { near, far } = await open();
  const farOver = over(far);
  near.listen({ drain: fail });
  near.write(new Uint8Array(5_000));
  assert.equal((await farOver)?.code, "internal");
  assert.equal(opener.faults.splice(0).length, 1);
  assert.equal(opener.session.state, "open");
});

sessionTest("reports a closed callback that throws, and goes on", {}, async ({ opener, open }) => {
  const { near, far } = await open();
  const farOver = over(far);
  near.listen({ closed: fail });
  near.reset("cancelled", "x");
  assert.equal((await farOver)?.code, "cancelled");
  assert.deepEqual(opener.faults.splice(0).map(({ cause }) => cause), [bug]);
  assert.equal(opener.session.state, "open");
});

/** A session with these events, and its peer. */
function withEvents(events: Partial<SessionEvents>) {
  const [a, b] = MemoryTransport.pair();
  const peer = new RawPeer(b);
  const closed = Promise.withResolvers<SallyportError | undefined>();
  const faults: SallyportError[] = [];
  const clock = new ManualClock();
  const fault = (error: SallyportError) => void faults.push(error);
  const session = new Session({
    transport: a,
    role: "listener",
    clock,
    events: { closed: closed.resolve, fault, ...events },
  });
  return { session, peer, faults, clock, closed: within(5_000, closed.promise, "the session closes") };
}

Deno.test("session resets the stream for which its stream callback throws", async () => {
  const { session, peer, faults, closed } = withEvents({ stream: fail });
  peer.hello();
  peer.send("connect_request", { stream: 1, host: "a", port: 1 });
  const { payload } = await peer.next("reset");
  assert.deepEqual([payload.stream, payload.code], [1, "internal"]);
  assert.deepEqual(faults.map(({ cause }) => cause), [bug]);
  assert.equal(session.state, "open");
  session.close("going_away", "done");
  await closed;
  await MemoryTransport.settled();
});

const DOES: Partial<Record<keyof SessionEvents, (peer: RawPeer) => void>> = {
  open: () => {},
  status: (peer) => void peer.send("status", { agents: 1, streams: 1 }),
  draining: (peer) => void peer.send("goaway", { code: "going_away", last_stream: 0 }),
};

for (const [event, act] of Object.entries(DOES)) {
  Deno.test(`session ends with internal when its ${event} callback throws`, async () => {
    const { peer, faults, closed, clock } = withEvents({ [event]: fail });
    peer.hello();
    act(peer);
    const goaway = await peer.next("goaway");
    assert.equal(goaway.payload.code, "internal");
    assert.doesNotMatch(goaway.payload.message, /bug/);
    const error = await closed;
    assert.deepEqual([error?.code, error?.cause], ["internal", bug]);
    assert.deepEqual(faults, [error]);
    assert.equal(clock.timers, 0);
    await MemoryTransport.settled();
  });
}

Deno.test("session ends when nobody can take the report of a fault", async () => {
  const { peer, closed } = withEvents({ stream: fail, fault: fail });
  peer.hello();
  peer.send("connect_request", { stream: 1, host: "a", port: 1 });
  assert.equal((await closed)?.code, "internal");
  await MemoryTransport.settled();
});

Deno.test("session that serves no streams refuses them (SPEC 3.1, 4.4)", async () => {
  const { session, peer, closed } = withEvents({});
  peer.hello();
  assert.equal((await peer.next("hello")).payload.max_streams, 0);
  peer.send("connect_request", { stream: 1, ...OPENING.payload });
  assert.equal((await peer.next("reset")).payload.code, "limit_reached");
  assert.equal(session.streamCount, 0);
  session.close("going_away", "done");
  await closed;
  await MemoryTransport.settled();
});
