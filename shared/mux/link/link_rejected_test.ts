/** Connections whose peer is no longer accepted, as when its certificate was revoked. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { RawPeer } from "../../../tests/support/mux/raw_peer.ts";
import { type SessionEnd, sessionEnd } from "../../../tests/support/mux/session_pair.ts";
import { OPENING } from "../../../tests/support/mux/session_suite.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { within } from "../../../tests/support/within.ts";
import { SallyportError } from "../../errors.ts";
import type { TransportEvents } from "../transport.ts";

const REVOKED = new SallyportError("peer_rejected", "Cannot keep the connection: it was revoked");

/** A connection whose peer can be rejected. */
class RejectableTransport extends MemoryTransport {
  #started: TransportEvents | undefined;

  /** Both ends: the near one can be rejected, the far one is a raw peer. */
  static connect(): { near: RejectableTransport; peer: RawPeer } {
    const near = new RejectableTransport();
    return { near, peer: new RawPeer(near.connect()) };
  }

  override start(events: TransportEvents): void {
    this.#started = events;
    super.start(events);
  }

  reject(): void {
    this.#started!.rejected!(REVOKED);
  }
}

async function assertTold(end: SessionEnd, peers: readonly RawPeer[]): Promise<void> {
  for (const peer of peers) {
    const { payload } = await peer.next("goaway");
    assert.deepEqual([payload["code"], payload["message"]], [REVOKED.code, REVOKED.message]);
  }
  assert.equal((await within(5_000, end.closed, "the session closes"))?.code, "peer_rejected");
}

Deno.test("session ends, and says why on every link, when the peer of one is no longer accepted", async () => {
  const clock = new ManualClock();
  const [first, second] = [RejectableTransport.connect(), RejectableTransport.connect()];
  const end = sessionEnd(first.near, "dialer", { resumeTimeout: 60_000 }, clock);
  first.peer.hello({ session: undefined });
  await within(5_000, end.opened, "the session opens");
  end.session.dialled(second.near);
  second.peer.hello({ session: undefined });
  await second.peer.settled();
  const stream = end.session.open(OPENING);
  second.near.reject();
  first.near.reject();
  assert.equal((await streamEnd(stream))?.code, "peer_rejected");
  await assertTold(end, [first.peer, second.peer]);
  for (const { peer } of [first, second]) assert.equal(peer.all("goaway").length, 1, "it is told once");
  await MemoryTransport.settled();
  assert.equal(clock.timers, 0);
});

Deno.test("session ends when its peer is no longer accepted before the hello", async () => {
  const clock = new ManualClock();
  const { near, peer } = RejectableTransport.connect();
  const end = sessionEnd(near, "dialer", {}, clock);
  near.reject();
  await assertTold(end, [peer]);
  await MemoryTransport.settled();
  assert.equal(clock.timers, 0);
});
