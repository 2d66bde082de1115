import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { RawPeer } from "../../../tests/support/mux/raw_peer.ts";
import { SESSION_KEY } from "../../../tests/support/mux/session_pair.ts";
import { within } from "../../../tests/support/within.ts";
import { SallyportError } from "../../errors.ts";
import { MemoryBudget } from "../flow/memory_budget.ts";
import type { Link } from "../link/link.ts";
import { acceptLink } from "./accept_link.ts";
import { Session } from "./session.ts";

/** A listener whose sessions begin and are joined by raw peers. */
class Listener {
  readonly clock = new ManualClock();
  readonly sessions = new Map<string, Session>();
  readonly #ended: Promise<void>[] = [];
  readonly budget = new MemoryBudget(0);
  /** Why each connection closed. */
  readonly closed: string[] = [];
  /** The last connection. */
  link: Link | undefined;
  /** Thrown instead of making or joining a session. */
  refusal: SallyportError | undefined;

  dial(): RawPeer {
    const [near, far] = MemoryTransport.pair();
    this.link = acceptLink({
      transport: far,
      clock: this.clock,
      find: (key) => this.sessions.get(key),
      create: (key) => this.#create(key),
      join: () => {
        if (this.refusal !== undefined) throw this.refusal;
      },
      closed: ({ code }) => void this.closed.push(code),
    });
    return new RawPeer(near);
  }

  get session(): Session {
    return this.sessions.get(SESSION_KEY)!;
  }

  /** Ends all sessions; nothing may be left. */
  async end(): Promise<void> {
    for (const session of this.sessions.values()) session.close("going_away", "the test is over");
    await within(5_000, Promise.all(this.#ended), "all sessions close");
    await MemoryTransport.settled();
    assert.deepEqual([this.clock.timers, this.budget.held.total], [0, 0], "timers and memory left");
  }

  #create(key: string): Session {
    if (this.refusal !== undefined) throw this.refusal;
    const ended = Promise.withResolvers<void>();
    this.#ended.push(ended.promise);
    const session = new Session({
      role: "listener",
      key,
      clock: this.clock,
      budget: this.budget,
      events: {
        stream: () => {},
        closed: () => ended.resolve(),
        consumerError: (error) => assert.fail(error),
      },
    });
    this.sessions.set(key, session);
    return session;
  }
}

/** Asserts that a link is refused with this code instead of a `hello`, and closes. */
async function assertRefused(peer: RawPeer, code: string): Promise<void> {
  const goaway = await peer.next("goaway");
  assert.deepEqual([goaway.payload.code, goaway.payload.last_stream], [code, 0]);
  await within(5_000, peer.closed, "the link closes");
  assert.deepEqual(peer.frames.map(({ type }) => type), ["goaway"]);
}

Deno.test("accept link begins a session, and greets after the dialer (SPEC 3.1, 3.6)", async () => {
  const listener = new Listener();
  const peer = listener.dial();
  await MemoryTransport.settled();
  assert.deepEqual(peer.frames, []);
  peer.hello({ session: SESSION_KEY });
  const { payload } = await peer.next("hello");
  assert.deepEqual([payload.version, payload.session, payload.join], [2, undefined, undefined]);
  assert.deepEqual([listener.session.state, listener.session.linkCounts.open], ["open", 1]);
  await listener.end();
  assert.deepEqual(listener.closed, ["going_away"]);
});

Deno.test("accept link adds further links to a session that is joined (SPEC 3.6)", async () => {
  const listener = new Listener();
  const peers = [listener.dial(), listener.dial(), listener.dial()];
  for (const [index, peer] of peers.entries()) {
    peer.hello({ session: SESSION_KEY, join: index > 0 });
    await peer.next("hello");
  }
  assert.deepEqual([listener.sessions.size, listener.session.linkCounts.open], [1, 3]);
  await listener.end();
  assert.equal(listener.closed.length, 3);
});

Deno.test("accept link gives back no memory for a hello in pieces: none was counted (SPEC 5.5)", async () => {
  const listener = new Listener();
  const peer = listener.dial();
  const hello = { version: 2, software: "raw", window: 1, max_streams: 1, session: SESSION_KEY };
  for (const byte of peer.encode("hello", hello)) peer.sendBytes([byte]);
  await peer.next("hello");
  assert.equal(listener.budget.held.total, 0);
  peer.sendBytes(peer.encode("later", { x: "y".repeat(1_000) }).slice(0, 20));
  await MemoryTransport.settled();
  assert.ok(listener.budget.held.total >= 1_000, "later messages are counted");
  await listener.end();
});

Deno.test("accept link keeps sessions with other ids apart (SPEC 3.6)", async () => {
  const listener = new Listener();
  const keys = [SESSION_KEY, "f".repeat(32)];
  for (const session of keys) {
    const peer = listener.dial();
    peer.hello({ session });
    await peer.next("hello");
  }
  assert.deepEqual([...listener.sessions.keys()], keys);
  await listener.end();
});

Deno.test("accept link refuses a hello without a session (SPEC 3.6)", async () => {
  const listener = new Listener();
  const peer = listener.dial();
  peer.hello({ session: undefined });
  await assertRefused(peer, "protocol_violation");
  assert.equal(listener.sessions.size, 0);
  await listener.end();
  assert.deepEqual(listener.closed, ["protocol_violation"]);
});

Deno.test("accept link refuses to join a session that it does not know (SPEC 3.6)", async () => {
  const listener = new Listener();
  const peer = listener.dial();
  peer.hello({ join: true });
  await assertRefused(peer, "session_unknown");
  assert.equal(listener.sessions.size, 0);
  await listener.end();
  assert.deepEqual(listener.closed, ["session_unknown"]);
});

Deno.test("accept link refuses to begin a session twice, and the first goes on (SPEC 3.6)", async () => {
  const listener = new Listener();
  const first = listener.dial();
  first.hello({ session: SESSION_KEY });
  await first.next("hello");
  const second = listener.dial();
  second.hello({ session: SESSION_KEY });
  await assertRefused(second, "protocol_violation");
  await first.settled();
  assert.deepEqual([listener.session.state, listener.session.linkCounts.open], ["open", 1]);
  await listener.end();
});

Deno.test("accept link refuses with the error of create (SPEC 3.1)", async () => {
  const listener = new Listener();
  listener.refusal = new SallyportError("peer_rejected", "Cannot serve this client");
  const peer = listener.dial();
  peer.hello({ session: SESSION_KEY });
  await assertRefused(peer, "peer_rejected");
  await listener.end();
  assert.deepEqual(listener.closed, ["peer_rejected"]);
});

Deno.test("accept link refuses a first message that is too long, before it has arrived (SPEC 3.1)", async () => {
  const listener = new Listener();
  const peer = listener.dial();
  const head = [0, 4, 0, 0, 0, 0, 0, 0];
  peer.sendBytes([...head, ...new Array(20_000).fill(32)]);
  await assertRefused(peer, "protocol_violation");
  await listener.end();
});

Deno.test("accept link ends in silence when the peer closes before its hello", async () => {
  const listener = new Listener();
  const peer = listener.dial();
  peer.close();
  await within(5_000, peer.closed, "the link closes");
  await listener.end();
  assert.deepEqual([listener.closed, peer.frames], [["tunnel_down"], []]);
});

Deno.test("accept link of a refused join leaves the links of its session alone (SPEC 3.4)", async () => {
  const listener = new Listener();
  const first = listener.dial();
  first.hello({ session: SESSION_KEY });
  await first.next("hello");
  const second = listener.dial();
  second.send("status", { agents: 1, streams: 1 });
  await assertRefused(second, "protocol_violation");
  const third = listener.dial();
  third.send("hello", { version: 7 });
  await assertRefused(third, "version_unsupported");
  await first.settled();
  assert.equal(listener.session.state, "open");
  await listener.end();
});

Deno.test("accept link refuses with the error of join, and its session goes on (SPEC 3.9)", async () => {
  const listener = new Listener();
  const first = listener.dial();
  first.hello({ session: SESSION_KEY });
  await first.next("hello");
  listener.refusal = new SallyportError("limit_reached", "Cannot join: there are too many");
  const second = listener.dial();
  second.hello({ session: SESSION_KEY, join: true });
  await assertRefused(second, "limit_reached");
  await first.settled();
  assert.deepEqual([listener.session.state, listener.session.linkCounts.open], ["open", 1]);
  await listener.end();
});

Deno.test("accept link is refused once, however often its owner refuses it (SPEC 3.1)", async () => {
  const listener = new Listener();
  const peer = listener.dial();
  const error = new SallyportError("limit_reached", "Cannot wait for the hello");
  listener.link!.refuse(error);
  listener.link!.refuse(error);
  await assertRefused(peer, "limit_reached");
  await listener.end();
});
