import assert from "node:assert/strict";
import type { LogFields } from "../../shared/log.ts";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/memory_budget.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { RawPeer } from "../../tests/support/raw_peer.ts";
import { over } from "../../tests/support/over.ts";
import { type SessionEnd, sessionEnd } from "../../tests/support/session_pair.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { within } from "../../tests/support/within.ts";
import { Reception } from "./reception.ts";

const PEER = {
  ...{ commonName: "laptop", serial: "1f", fingerprint: "", notAfter: new Date(0) },
  names: { dns: [], uris: [], addresses: [] },
  chain: [],
};

Deno.test("reception logs what a stream's room throws, and the agent stays connected", async () => {
  const logged: LogFields[] = [];
  const reception = new Reception({
    log: { debug() {}, info() {}, warn() {}, error: (_, fields) => void logged.push(fields ?? {}) },
    budget: new MemoryBudget(0),
    session: {},
    clock: new ManualClock(),
    stream() {
      throw new Error("a bug");
    },
  });
  const [near, far] = MemoryTransport.pair();
  const agent = sessionEnd(near, "dialer");
  reception.welcome(far, PEER);
  await within(5_000, agent.opened, "the session opens");
  const stream = agent.session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  assert.equal((await over(stream))?.code, "internal");
  assert.equal(logged.length, 1);
  const { stack, ...fields } = logged[0]!;
  assert.deepEqual(fields, {
    client: "laptop",
    serial: "1f",
    reason: "Cannot go on with stream 1: its callback failed: a bug",
  });
  assert.match(String(stack), /reception_test/);
  assert.equal(reception.connectionCount, 1);
  agent.session.close("going_away", "done");
  await within(5_000, agent.closed, "the session closes");
  await MemoryTransport.settled();
  assert.equal(reception.connectionCount, 0);
});

Deno.test("reception tells an agent beyond its limit so, and takes one when another left", async () => {
  const clock = new ManualClock();
  const logged: [string, LogFields | undefined][] = [];
  const refused: string[] = [];
  const reception = new Reception({
    log: {
      debug() {},
      info() {},
      warn: (message, fields) => void logged.push([message, fields]),
      error() {},
    },
    ...{ budget: new MemoryBudget(0), session: {}, clock, maxConnections: 1, stream() {} },
    onRefused: (code) => void refused.push(code),
  });
  const welcome = () => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer");
    reception.welcome(far, PEER);
    return agent;
  };
  const first = welcome();
  await within(5_000, first.opened, "the first session opens");
  const reason = "Cannot let the agent in: all 1 connections (max_connections) are taken";
  const error = await within(5_000, welcome().closed, "the second is sent away");
  assert.deepEqual([error?.code, error?.message], ["limit_reached", reason]);
  assert.deepEqual(logged, [["agent refused", {
    client: "laptop",
    serial: "1f",
    code: "limit_reached",
    reason,
  }]]);
  assert.deepEqual(refused, ["limit_reached"]);
  assert.equal(reception.connectionCount, 1);
  first.session.close("going_away", "done");
  await within(5_000, first.closed, "the first session closes");
  await MemoryTransport.settled();
  const third = welcome();
  await within(5_000, third.opened, "the third session opens");
  third.session.close("going_away", "done");
  await within(5_000, third.closed, "the third session closes");
  await MemoryTransport.settled();
  assert.deepEqual([reception.connectionCount, clock.timers], [0, 0]);
});

Deno.test("reception cuts off those who may not stay, with their streams, and nobody else", async () => {
  const log = new LogNotes();
  const clock = new ManualClock();
  const reception = new Reception({
    ...{ log, budget: new MemoryBudget(0), session: {}, clock },
    stream: (stream) => stream.resume(),
  });
  const welcome = async (commonName: string) => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer");
    reception.welcome(far, { ...PEER, commonName });
    await within(5_000, agent.opened, "the session opens");
    return agent;
  };
  const [good, bad] = [await welcome("good"), await welcome("bad")];
  const open = ({ session }: typeof good) =>
    session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  const streams = [open(good), open(bad)];
  const reason = "Cannot keep the connection: it was revoked";
  log.take();
  reception.expel(({ commonName }) =>
    commonName === "bad" ? new SallyportError("peer_rejected", reason) : undefined
  );
  assert.equal((await over(streams[1]!))?.code, "peer_rejected");
  assert.equal((await within(5_000, bad.closed, "the session closes"))?.message, reason);
  await MemoryTransport.settled();
  assert.deepEqual(log.notes[0], {
    level: "warn",
    message: "agent cut off",
    fields: { client: "bad", serial: "1f", reason, code: "peer_rejected" },
  });
  assert.equal(reception.connectionCount, 1);
  assert.equal(streams[0]!.over, false);
  good.session.close("going_away", "done");
  await within(5_000, good.closed, "the session closes");
  await MemoryTransport.settled();
  assert.deepEqual([reception.connectionCount, clock.timers], [0, 0]);
});

Deno.test("reception tells whose all agents are, and when that changes", async () => {
  const told: (string | undefined)[] = [];
  const reception: Reception = new Reception({
    log: new LogNotes(),
    budget: new MemoryBudget(0),
    session: {},
    clock: new ManualClock(),
    onAgentsChanged: () => void told.push(`${reception.agentCount} ${reception.onlyClient}`),
    stream: () => assert.fail("a stream"),
  });
  const connect = async (fingerprint: string) => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer");
    reception.welcome(far, { ...PEER, fingerprint });
    await within(5_000, agent.opened, "the session opens");
    return agent.session;
  };
  const first = await connect("AA");
  const second = await connect("BB");
  second.close("going_away", "it leaves");
  await eventually("it is gone", () => assert.equal(reception.agentCount, 1));
  first.close("going_away", "it leaves");
  await eventually("all are gone", () => assert.equal(reception.agentCount, 0));
  assert.deepEqual(told, ["1 AA", "2 undefined", "1 AA", "0 undefined"]);
});

/** A reception for `maxConnections`, and how agents of several certificates enter. */
function sharedReception(maxConnections: number) {
  const log = new LogNotes();
  const clock = new ManualClock();
  const reception = new Reception({
    ...{ log, budget: new MemoryBudget(0), session: {}, clock, maxConnections },
    stream: (stream) => stream.resume(),
  });
  const welcome = async (fingerprint: string, id: string) => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer", { id });
    reception.welcome(far, { ...PEER, fingerprint });
    await within(5_000, agent.opened, "the session opens");
    return agent;
  };
  return { log, clock, reception, welcome };
}

async function leave({ session, closed }: SessionEnd): Promise<void> {
  session.close("going_away", "done");
  await within(5_000, closed, "the session closes");
  await MemoryTransport.settled();
}

Deno.test("reception takes from the certificate that has the most what it misses least", async () => {
  const { reception, welcome, clock } = sharedReception(5);
  const open = ({ session }: SessionEnd) =>
    session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  const single = await welcome("greedy", "single");
  const busySingle = await welcome("greedy", "busy single");
  const [busyExtra, extra] = [await welcome("greedy", "double"), await welcome("greedy", "double")];
  const alone = await welcome("other", "alone");
  open(busySingle);
  open(busyExtra);
  await MemoryTransport.settled();
  const gone: string[] = [];
  for (const [name, { closed }] of Object.entries({ single, busySingle, busyExtra, extra, alone })) {
    void closed.then((error) => gone.push(`${name}: ${error?.code}`));
  }
  const newcomers = [await welcome("third", "1")];
  await within(5_000, extra.closed, "the idle one of an agent with two gives way");
  newcomers.push(await welcome("fourth", "1"));
  await within(5_000, single.closed, "the idle one gives way");
  assert.deepEqual(gone, ["extra: limit_reached", "single: limit_reached"]);
  assert.equal(reception.connectionCount, 5);
  assert.equal(reception.figures().connections.evicted, 2);
  for (const agent of [busySingle, busyExtra, alone, ...newcomers]) await leave(agent);
  assert.deepEqual([reception.connectionCount, clock.timers], [0, 0]);
});

Deno.test("reception has room again at once when it cuts an agent off, however long that one takes", async () => {
  const { reception, clock } = sharedReception(1);
  const stubborn = MemoryTransport.pair();
  stubborn[0].start({ data() {}, closed() {} });
  reception.welcome(stubborn[1], PEER);
  reception.expel(() => new SallyportError("peer_rejected", "Cannot keep the connection: it was revoked"));
  assert.equal(reception.connectionCount, 0);
  const [near, far] = MemoryTransport.pair();
  const agent = sessionEnd(near, "dialer");
  reception.welcome(far, { ...PEER, fingerprint: "other" });
  await within(5_000, agent.opened, "the other gets in");
  assert.equal(reception.connectionCount, 1);
  clock.advance(1_000);
  await leave(agent);
  assert.equal(reception.figures().closing.used, 0);
});

Deno.test("reception tells a bounded number why there is no room, and leaves some of it to others", async () => {
  const { reception, welcome } = sharedReception(1);
  const first = await welcome("first", "");
  const greedy = Array.from({ length: 40 }, () => {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(near);
    reception.welcome(far, { ...PEER, fingerprint: "greedy" });
    return peer;
  });
  const [near, far] = MemoryTransport.pair();
  const honest = new RawPeer(near);
  reception.welcome(far, { ...PEER, fingerprint: "honest" });
  assert.deepEqual(reception.figures().closing, {
    ...{ total: 32, used: 32, largestShare: 31 },
    ...{ refused: 0, evicted: 9 },
  });
  assert.equal((await honest.next("goaway")).payload["code"], "limit_reached");
  for (const peer of [...greedy, honest]) peer.abort();
  await leave(first);
  assert.equal(reception.figures().closing.used, 0);
});

Deno.test("reception counts agents apart that claim the same id with different certificates", async () => {
  const { reception, welcome } = sharedReception(4);
  const agents = [await welcome("one", "id"), await welcome("one", "id"), await welcome("two", "id")];
  assert.equal(reception.agentCount, 2);
  for (const agent of agents) await leave(agent);
  assert.equal(reception.agentCount, 0);
});

Deno.test("reception tells a new agent at once how many there are, and gathers the news for the others", async () => {
  const { reception, welcome, clock } = sharedReception(10);
  const stayTold = async (count: number, expected: number[][]) => {
    await eventually("all are counted", () => assert.equal(reception.agentCount, count));
    clock.advance(100);
    await eventually("they are told", () => assert.deepEqual(told(), expected));
  };
  const stay = [await welcome("one", "first"), await welcome("one", "second")];
  const brief = [await welcome("two", "a"), await welcome("two", "b")];
  const told = () => stay.map(({ status }) => status.map(({ agents }) => agents));
  await eventually("each was told", () => {
    assert.deepEqual(brief.map(({ status }) => status[0]?.agents), [3, 4]);
    assert.deepEqual(told(), [[1], [2]]);
  });
  await leave(brief[0]!);
  await stayTold(3, [[1, 3], [2, 3]]);
  await leave(await welcome("two", "c"));
  await stayTold(3, [[1, 3], [2, 3]]);
  await leave(brief[1]!);
  await stayTold(2, [[1, 3, 2], [2, 3, 2]]);
  for (const agent of stay) await leave(agent);
  await eventually("all are gone", () => assert.equal(reception.agentCount, 0));
  assert.equal(clock.timers, 0);
});
