import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { RawPeer } from "../../../tests/support/mux/raw_peer.ts";
import { SESSION_KEY } from "../../../tests/support/mux/session_pair.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { OPENING, sessionTest } from "../../../tests/support/mux/session_suite.ts";
import { within } from "../../../tests/support/within.ts";
import { SallyportError } from "../../errors.ts";
import { acceptLink } from "./accept_link.ts";
import { Session } from "./session.ts";
import type { SessionEvents } from "./session_events.ts";
import type { StreamEvents } from "../stream/stream.ts";

const bug = new TypeError("a bug of the consumer");
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
      const farOver = streamEnd(far);
      const nearOver = Promise.withResolvers<SallyportError | undefined>();
      near.listen({ [event]: fail, closed: nearOver.resolve });
      near.resume();
      far.write(new Uint8Array(10));
      far.end();
      const error = await within(5_000, nearOver.promise, "the reset");
      assert.deepEqual([error?.code, error?.cause], ["internal", bug]);
      const farError = await farOver;
      assert.equal(farError?.code, "internal");
      assert.doesNotMatch(farError.message, /bug/, "the peer does not learn what was thrown");
      assert.deepEqual(opener.consumerErrors.splice(0), [error]);
      assert.deepEqual([opener.session.state, accepter.session.state], ["open", "open"]);
      const got = collect(other.far);
      other.near.write(new Uint8Array(100_000));
      other.near.end();
      assert.equal((await within(5_000, got, "the other stream")).bytes.byteLength, 100_000);
      other.far.end();
      assert.equal(await streamEnd(other.near), undefined);
    },
  );
}

sessionTest("resets only the stream whose drain callback throws", {
  opener: { queueHighMark: 1_000, queueLowMark: 10 },
}, async ({ opener, open }) => {
  const { near, far } = await open();
  const farOver = streamEnd(far);
  near.listen({ drain: fail });
  near.write(new Uint8Array(5_000));
  assert.equal((await farOver)?.code, "internal");
  assert.equal(opener.consumerErrors.splice(0).length, 1);
  assert.equal(opener.session.state, "open");
});

sessionTest("reports a closed callback that throws, and continues", {}, async ({ opener, open }) => {
  const { near, far } = await open();
  const farOver = streamEnd(far);
  near.listen({ closed: fail });
  near.reset("cancelled", "x");
  assert.equal((await farOver)?.code, "cancelled");
  assert.deepEqual(opener.consumerErrors.splice(0).map(({ cause }) => cause), [bug]);
  assert.equal(opener.session.state, "open");
});

/** A session with these events, and its peer. */
function withEvents(events: Partial<SessionEvents>) {
  const [a, b] = MemoryTransport.pair();
  const peer = new RawPeer(b);
  const closed = Promise.withResolvers<SallyportError | undefined>();
  const consumerErrors: SallyportError[] = [];
  const clock = new ManualClock();
  const consumerError = (error: SallyportError) => void consumerErrors.push(error);
  const session = new Session({
    role: "listener",
    key: SESSION_KEY,
    clock,
    events: { closed: closed.resolve, consumerError, ...events },
  });
  acceptLink({ transport: a, clock, find: () => undefined, create: () => session });
  return {
    session,
    peer,
    consumerErrors,
    clock,
    closed: within(5_000, closed.promise, "the session closes"),
  };
}

Deno.test("session resets the stream for which its stream callback throws", async () => {
  const { session, peer, consumerErrors, closed } = withEvents({ stream: fail });
  peer.hello();
  peer.send("connect_request", { stream: 1, host: "a", port: 1 });
  const { payload } = await peer.next("reset");
  assert.deepEqual([payload.stream, payload.code], [1, "internal"]);
  assert.deepEqual(consumerErrors.map(({ cause }) => cause), [bug]);
  assert.equal(session.state, "open");
  session.close("going_away", "done");
  await closed;
  await MemoryTransport.settled();
});

const TRIGGERS: Partial<Record<keyof SessionEvents, (peer: RawPeer) => void>> = {
  open: () => {},
  status: (peer) => void peer.send("status", { agents: 1, streams: 1 }),
  draining: (peer) => void peer.send("goaway", { code: "going_away", last_stream: 0 }),
};

for (const [event, act] of Object.entries(TRIGGERS)) {
  Deno.test(`session ends with internal when its ${event} callback throws`, async () => {
    const { peer, consumerErrors, closed, clock } = withEvents({ [event]: fail });
    peer.hello();
    act(peer);
    const goaway = await peer.next("goaway");
    assert.equal(goaway.payload.code, "internal");
    assert.doesNotMatch(goaway.payload.message, /bug/);
    const error = await closed;
    assert.deepEqual([error?.code, error?.cause], ["internal", bug]);
    assert.deepEqual(consumerErrors, [error]);
    assert.equal(clock.timers, 0);
    await MemoryTransport.settled();
  });
}

Deno.test("session ends when its consumerError callback throws", async () => {
  const { peer, closed } = withEvents({ stream: fail, consumerError: fail });
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
