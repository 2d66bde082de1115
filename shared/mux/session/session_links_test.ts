/** Links of a session that are suspect, or are not needed any more (SPEC.md 3.8, 3.9). */
import assert from "node:assert/strict";
import { DialerBench } from "../../../tests/support/mux/dialer_bench.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import type { RawPeer } from "../../../tests/support/mux/raw_peer.ts";
import { OPENING } from "../../../tests/support/mux/session_suite.ts";
import { SallyportError } from "../../errors.ts";
import { within } from "../../../tests/support/within.ts";

/** Four round trips of a path whose round trip is not known. */
const SUSPECT_AFTER = 4_000;

/** A session with two links. */
async function twoLinks(): Promise<{ dialer: DialerBench; first: RawPeer; second: RawPeer }> {
  const dialer = await new DialerBench().begin();
  const second = await dialer.dial();
  second.hello({ session: undefined });
  await second.settled();
  assert.deepEqual(dialer.session.linkCounts, { open: 2, good: 2 });
  return { dialer, first: dialer.first, second };
}

async function end(dialer: DialerBench): Promise<void> {
  dialer.session.close("going_away", "done");
  assert.equal(await dialer.over(), "going_away");
}

Deno.test("session sends again by another link what a suspect one does not acknowledge (SPEC 3.8)", async () => {
  const { dialer, first, second } = await twoLinks();
  dialer.session.open(OPENING, new Uint8Array([1]));
  const opened = await first.next("connect_request");
  dialer.clock.advance(SUSPECT_AFTER - 1);
  await second.settled();
  assert.deepEqual(second.all("connect_request"), []);
  dialer.clock.advance(1);
  assert.deepEqual(dialer.session.linkCounts, { open: 2, good: 1 });
  assert.deepEqual(await second.next("connect_request"), opened);
  first.send("ack", { bytes: first.received });
  await first.settled();
  assert.deepEqual(dialer.session.linkCounts, { open: 2, good: 2 }, "it acknowledges again");
  await end(dialer);
});

Deno.test("session with one link, which is suspect, continues to use it (SPEC 3.8)", async () => {
  const dialer = await new DialerBench().begin();
  const { first, session } = dialer;
  session.open(OPENING);
  await first.next("connect_request");
  dialer.clock.advance(SUSPECT_AFTER);
  assert.deepEqual(session.linkCounts, { open: 1, good: 0 });
  session.open(OPENING);
  await first.next("connect_request");
  await first.settled();
  assert.equal(first.all("connect_request").length, 2, "nothing is sent twice by one link");
  await end(dialer);
});

Deno.test("session takes over from a suspect link when another one opens (SPEC 3.8)", async () => {
  const dialer = await new DialerBench().begin();
  dialer.session.open(OPENING, new Uint8Array([1]));
  const opened = await dialer.first.next("connect_request");
  dialer.clock.advance(SUSPECT_AFTER);
  const second = await dialer.dial();
  second.hello({ session: undefined });
  assert.deepEqual(await second.next("connect_request"), opened);
  await end(dialer);
});

Deno.test("session gives up a link that is not needed, and keeps the last one (SPEC 3.9)", async () => {
  const { dialer, first, second } = await twoLinks();
  dialer.session.retireLink();
  await within(5_000, second.closed, "the link closes");
  await first.settled();
  assert.deepEqual([dialer.session.state, dialer.session.linkCounts], ["open", { open: 1, good: 1 }]);
  dialer.session.retireLink();
  await first.settled();
  assert.deepEqual(dialer.session.linkCounts, { open: 1, good: 1 });
  await end(dialer);
});

Deno.test("session gives up a link once what is in flight by it was delivered (SPEC 3.9)", async () => {
  const { dialer, first, second } = await twoLinks();
  const { session, clock } = dialer;
  session.open(OPENING);
  await first.next("connect_request");
  clock.advance(SUSPECT_AFTER);
  await second.next("connect_request");
  first.send("ack", { bytes: first.received });
  await first.settled();
  session.retireLink();
  await second.settled();
  assert.deepEqual(session.linkCounts, { open: 2, good: 1 });
  second.send("ack", { bytes: second.received });
  await within(5_000, second.closed, "the link closes");
  await first.settled();
  assert.deepEqual([session.streamCount, session.linkCounts], [1, { open: 1, good: 1 }]);
  await end(dialer);
});

Deno.test("session numbers its links from 1, and no number is used again", async () => {
  const dialer = await new DialerBench().begin();
  const dial = () => dialer.session.dialled(MemoryTransport.pair()[0]);
  const second = dial();
  second.cut(new SallyportError("tunnel_down", "test"));
  assert.deepEqual([second.id, dial().id], [2, 3]);
  await end(dialer);
});

Deno.test("session that drains waits for no link, and ends with its last one (SPEC 3.7)", async () => {
  const dialer = await new DialerBench().begin();
  dialer.session.open(OPENING, new Uint8Array([1]));
  await dialer.first.next("connect_request");
  dialer.session.drain();
  dialer.first.close();
  assert.equal(await dialer.over(), "tunnel_down");
});

Deno.test("session without a link ends when it drains (SPEC 3.7)", async () => {
  const dialer = await new DialerBench().begin();
  dialer.session.open(OPENING, new Uint8Array([1]));
  await dialer.first.next("connect_request");
  dialer.first.close();
  await within(5_000, dialer.first.closed, "the link closes");
  await MemoryTransport.settled();
  assert.deepEqual([dialer.session.state, dialer.session.linkCounts.open], ["open", 0]);
  dialer.session.drain();
  assert.equal(await dialer.over(), "tunnel_down");
});
