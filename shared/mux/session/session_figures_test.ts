import assert from "node:assert/strict";
import { DialerBench } from "../../../tests/support/mux/dialer_bench.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { OPENING } from "../../../tests/support/mux/session_suite.ts";
import { SessionCounter } from "./session_figures.ts";

/** Milliseconds without an acknowledgement after which a link is suspect. */
const SUSPECT_AFTER = 4_000;
const BYTES = new Uint8Array(1_000);

async function end(dialer: DialerBench): Promise<void> {
  dialer.session.close("going_away", "done");
  assert.equal(await dialer.over(), "going_away");
}

Deno.test("session figures have each link's number, round trip, bytes and what it carries", async () => {
  const dialer = await new DialerBench().begin();
  const { first, session, clock } = dialer;
  session.open(OPENING, BYTES);
  await first.next("connect_request");
  const unmeasured = { remotes: [], roundTripMs: undefined, sendRate: undefined, transferred: 0 };
  const only = { ...unmeasured, id: 1, isSuspect: false, carries: "all" };
  const { links, ...counts } = session.figures;
  assert.deepEqual(links, [only]);
  assert.deepEqual(counts, { name: undefined, streams: 1, isWaiting: false, resumptions: 0, resentBytes: 0 });

  clock.advance(7);
  first.send("ack", { bytes: first.received });
  const second = await dialer.dial();
  second.hello({ session: undefined });
  await second.settled();
  const measured = { ...only, roundTripMs: 7, transferred: first.received };
  assert.deepEqual(session.figures.links, [
    { ...measured, carries: "interactive" },
    { ...only, id: 2, carries: "bulk" },
  ]);
  assert.deepEqual(links, [only], "a snapshot does not change");
  await end(dialer);
});

Deno.test("session figures show a suspect link, and the bytes that went out again by another one", async () => {
  const dialer = await new DialerBench().begin();
  const { first, session, clock } = dialer;
  session.open(OPENING, BYTES);
  await first.next("connect_request");
  clock.advance(SUSPECT_AFTER);
  const second = await dialer.dial();
  second.hello({ session: undefined });
  await second.next("connect_request");
  const { links, resumptions, resentBytes } = session.figures;
  assert.deepEqual(links.map(({ id, isSuspect, carries }) => [id, isSuspect, carries]), [
    [1, true, "nothing"],
    [2, false, "all"],
  ]);
  assert.deepEqual([resumptions, resentBytes], [0, BYTES.byteLength]);
  await end(dialer);
});

Deno.test("session figures count resumptions, and stay when the session is over", async () => {
  const dialer = await new DialerBench().begin();
  const { first, session } = dialer;
  session.open(OPENING, BYTES);
  await first.next("connect_request");
  first.abort();
  await MemoryTransport.settled();
  const { links, isWaiting } = session.figures;
  assert.deepEqual([links, isWaiting], [[], true]);
  const second = await dialer.dial();
  second.hello({ session: undefined });
  await second.next("connect_request");
  const resumed = {
    name: undefined,
    streams: 1,
    isWaiting: false,
    resumptions: 1,
    resentBytes: BYTES.byteLength,
  };
  const { links: [link], ...counts } = session.figures;
  assert.deepEqual([link?.id, counts], [2, resumed]);
  await end(dialer);
  assert.deepEqual(session.figures, { ...resumed, streams: 0, links: [] });
});

Deno.test("session counter adds up sessions, and keeps what those did that are over", () => {
  const counter = new SessionCounter();
  const link = {
    ...{ id: 1, remotes: [], roundTripMs: 1, sendRate: undefined, transferred: 5 },
    ...{ isSuspect: false, carries: "all" as const },
  };
  const up = {
    name: "a",
    streams: 1,
    links: [link, link],
    isWaiting: false,
    resumptions: 1,
    resentBytes: 10,
  };
  const waiting = { name: "b", streams: 2, links: [], isWaiting: true, resumptions: 2, resentBytes: 0 };
  const both = { sessions: 2, waiting: 1, links: 2, streams: 3, resumptions: 3, resentBytes: 10 };
  assert.deepEqual(counter.totals([up, waiting]), both);
  counter.ended(up);
  assert.deepEqual(counter.totals([waiting]), { ...both, sessions: 1, links: 0, streams: 2 });
});
