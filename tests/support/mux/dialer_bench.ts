import assert from "node:assert/strict";
import { ManualClock } from "../manual_clock.ts";
import { within } from "../within.ts";
import { MemoryTransport } from "./memory_transport.ts";
import { RawPeer } from "./raw_peer.ts";
import { type SessionEnd, sessionEnd } from "./session_pair.ts";

/** A dialer's session with an open link, and ways to dial others. */
export class DialerBench {
  readonly clock = new ManualClock();
  readonly end: SessionEnd;
  readonly first: RawPeer;

  constructor() {
    const [near, far] = MemoryTransport.pair();
    this.end = sessionEnd(near, "dialer", { resumeTimeout: 60_000 }, this.clock);
    this.first = new RawPeer(far);
  }

  /** Opens the first link. */
  async begin(): Promise<this> {
    assert.deepEqual(await this.greeting(this.first), { join: false });
    await within(5_000, this.end.opened, "the session opens");
    return this;
  }

  /** Dials a further link; the peer has its hello, and has not answered. */
  async dial(): Promise<RawPeer> {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(far);
    this.end.session.dialled(near);
    const { payload } = await peer.next("hello");
    assert.equal(payload.join, true);
    return peer;
  }

  /** Greets back. */
  async greeting(peer: RawPeer): Promise<{ join: boolean }> {
    const { payload: { join } } = await peer.next("hello");
    peer.hello({ session: undefined });
    return { join };
  }

  get session() {
    return this.end.session;
  }

  /** Resolves with the error of the session once it is over and nothing is left. */
  async over(): Promise<string | undefined> {
    const error = await within(5_000, this.end.closed, "the session closes");
    await MemoryTransport.settled();
    assert.equal(this.clock.timers, 0, "timers left");
    return error?.code;
  }
}
