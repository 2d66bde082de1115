import assert from "node:assert/strict";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import type { SessionOptions } from "../../shared/mux/options.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/mux/memory_transport.ts";
import { RawPeer } from "../../tests/support/mux/raw_peer.ts";
import { type SessionEnd, sessionEnd } from "../../tests/support/mux/session_pair.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { within } from "../../tests/support/within.ts";
import { SessionRegistry } from "./session_registry.ts";
import { RefusalLog } from "./refusal_log.ts";

const PEER = {
  ...{ commonName: "laptop", serial: "1f", identity: "", notAfter: new Date(0) },
  names: { dns: [], uris: [], addresses: [] },
  chain: [],
};

/** A registry for `maxConnections`, with a way to connect agents of several certificates. */
function sharedRegistry(maxConnections: number, session: Partial<SessionOptions> = {}) {
  const log = new LogNotes();
  const clock = new ManualClock();
  const refusals = new RefusalLog({ log, clock });
  const registry = new SessionRegistry({
    ...{ log, refusals, budget: new MemoryBudget(0), session, clock, maxConnections },
  });
  registry.listen({ stream: (stream) => stream.resume() });
  const connect = async (identity: string, id: string) => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer", { id });
    registry.accept(far, { ...PEER, identity });
    await within(5_000, agent.opened, "the session opens");
    return agent;
  };
  return { log, clock, refusals, registry, connect };
}

async function leave({ session, closed }: SessionEnd): Promise<void> {
  session.close("going_away", "done");
  await within(5_000, closed, "the session closes");
  await MemoryTransport.settled();
}

Deno.test("session registry evicts the least important connection of the certificate with the most", async () => {
  const { registry, refusals, connect, clock } = sharedRegistry(5);
  const open = ({ session }: SessionEnd) =>
    session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  const single = await connect("greedy", "single");
  const busySingle = await connect("greedy", "busy single");
  const [busyExtra, extra] = [await connect("greedy", "double"), await connect("greedy", "double")];
  const alone = await connect("other", "alone");
  open(busySingle);
  open(busyExtra);
  await eventually("both streams are open", () => assert.equal(registry.streamCount, 2));
  const gone: string[] = [];
  for (const [name, { closed }] of Object.entries({ single, busySingle, busyExtra, extra, alone })) {
    void closed.then((error) => gone.push(`${name}: ${error?.code}`));
  }
  const newcomers = [await connect("third", "1")];
  await within(5_000, extra.closed, "the idle one of an agent with two is evicted");
  newcomers.push(await connect("fourth", "1"));
  await within(5_000, single.closed, "the idle one is evicted");
  assert.deepEqual(gone, ["extra: limit_reached", "single: limit_reached"]);
  assert.equal(registry.connectionCount, 5);
  assert.equal(registry.figures().connections.evicted, 2);
  for (const agent of [busySingle, busyExtra, alone, ...newcomers]) await leave(agent);
  refusals.flush();
  assert.deepEqual([registry.connectionCount, clock.timers], [0, 0]);
});

Deno.test("session registry gives up the oldest waiting session of the certificate with the most (SPEC 3.7)", async () => {
  const { registry, clock } = sharedRegistry(3, { resumeTimeout: 60_000 });
  const connect = (identity: string, hello: object) => {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(near);
    registry.accept(far, { ...PEER, identity });
    peer.hello(hello);
    return peer;
  };
  const keys = ["0", "1", "2", "3", "4", "5"].map((digit) => digit.repeat(32));
  for (const [index, session] of keys.entries()) {
    const peer = connect(index === 0 ? "modest" : "greedy", { session });
    peer.send("connect_request", { stream: 1, host: "a", port: 1 });
    await peer.settled();
    peer.abort();
    await eventually("it waits", () => assert.equal(registry.connectionCount, 0));
  }
  assert.deepEqual([registry.streamCount, registry.figures().waiting.used], [3, 3]);
  for (const [index, session] of keys.entries()) {
    const peer = connect(index === 0 ? "modest" : "greedy", { session, join: true });
    await eventually("an answer", () => assert.ok(peer.frames.length > 0));
    const isKept = index === 0 || index >= 4;
    assert.equal(peer.frames[0]!.type, isKept ? "hello" : "goaway", `session ${index}`);
    peer.abort();
    await within(5_000, peer.closed, "the connection closes");
  }
  await eventually("all wait again", () => assert.equal(registry.connectionCount, 0));
  clock.advance(60_000);
  assert.deepEqual([registry.streamCount, registry.figures().waiting.used, clock.timers], [0, 0, 0]);
  await MemoryTransport.settled();
});

Deno.test("session registry has room at once after it cuts an agent off, however long that one takes to leave", async () => {
  const { registry, clock } = sharedRegistry(1);
  const stubborn = MemoryTransport.pair();
  stubborn[0].start({ data() {}, closed() {} });
  registry.accept(stubborn[1], PEER);
  registry.revalidate(() =>
    new SallyportError("peer_rejected", "Cannot keep the connection: it was revoked")
  );
  assert.equal(registry.connectionCount, 0);
  const [near, far] = MemoryTransport.pair();
  const agent = sessionEnd(near, "dialer");
  registry.accept(far, { ...PEER, identity: "other" });
  await within(5_000, agent.opened, "the other gets in");
  assert.equal(registry.connectionCount, 1);
  clock.advance(1_000);
  await leave(agent);
  assert.equal(registry.figures().closing.used, 0);
});

Deno.test("session registry gives a bounded number of refused agents the reason, and leaves a share to others", async () => {
  const { registry, connect } = sharedRegistry(1);
  const first = await connect("first", "");
  const greedy = Array.from({ length: 40 }, () => {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(near);
    registry.accept(far, { ...PEER, identity: "greedy" });
    return peer;
  });
  const [near, far] = MemoryTransport.pair();
  const honest = new RawPeer(near);
  registry.accept(far, { ...PEER, identity: "honest" });
  assert.deepEqual(registry.figures().closing, {
    ...{ total: 32, used: 32, largestShare: 31 },
    ...{ refused: 0, evicted: 9 },
  });
  assert.equal((await honest.next("goaway")).payload["code"], "limit_reached");
  for (const peer of [...greedy, honest]) peer.abort();
  await leave(first);
  assert.equal(registry.figures().closing.used, 0);
});

Deno.test("session registry logs a bounded number of refusals and evictions, and counts the rest", async () => {
  const { log, refusals, registry, connect, clock } = sharedRegistry(2);
  const agents = [await connect("greedy", ""), await connect("greedy", "")];
  for (let i = 0; i < 40; i++) {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(near);
    registry.accept(far, { ...PEER, identity: "greedy" });
    peer.abort();
  }
  // One of another certificate takes a connection, and so does one of a third.
  agents.push(await connect("other", ""));
  const [near, far] = MemoryTransport.pair();
  const honest = new RawPeer(near);
  registry.accept(far, { ...PEER, identity: "honest" });
  honest.abort();
  const count = (message: string) => log.notes.filter((note) => note.message === message).length;
  assert.equal(count("agent refused"), 11, "ten of the greedy one, and the one of another");
  assert.equal(count("agent evicted"), 1);
  refusals.flush();
  assert.deepEqual(log.notes.at(-1)?.fields, { refusals: 30, kinds: "client limit_reached 30" });
  await within(5_000, agents.shift()!.closed, "the first of the greedy ones was evicted");
  for (const agent of agents) await leave(agent);
  assert.deepEqual([registry.connectionCount, clock.timers], [0, 0]);
});

Deno.test("session registry counts agents with the same id and different certificates separately", async () => {
  const { registry, connect } = sharedRegistry(4);
  const agents = [await connect("one", "id"), await connect("one", "id"), await connect("two", "id")];
  assert.equal(registry.agentCount, 2);
  for (const agent of agents) await leave(agent);
  assert.equal(registry.agentCount, 0);
});

Deno.test("session registry sends the number of agents to a new agent at once, and to the others a little later", async () => {
  const { registry, connect, clock } = sharedRegistry(10);
  const stayTold = async (count: number, expected: number[][]) => {
    await eventually("all are counted", () => assert.equal(registry.agentCount, count));
    clock.advance(100);
    await eventually("they are notified", () => assert.deepEqual(told(), expected));
  };
  const stay = [await connect("one", "first"), await connect("one", "second")];
  const brief = [await connect("two", "a"), await connect("two", "b")];
  const told = () => stay.map(({ status }) => status.map(({ agents }) => agents));
  await eventually("each was notified", () => {
    assert.deepEqual(brief.map(({ status }) => status[0]?.agents), [3, 4]);
    assert.deepEqual(told(), [[1], [2]]);
  });
  await leave(brief[0]!);
  await stayTold(3, [[1, 3], [2, 3]]);
  await leave(await connect("two", "c"));
  await stayTold(3, [[1, 3], [2, 3]]);
  await leave(brief[1]!);
  await stayTold(2, [[1, 3, 2], [2, 3, 2]]);
  for (const agent of stay) await leave(agent);
  await eventually("all are gone", () => assert.equal(registry.agentCount, 0));
  assert.equal(clock.timers, 0);
});
