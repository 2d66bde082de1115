import assert from "node:assert/strict";
import type { LogFields } from "../../shared/log.ts";
import { SallyportError } from "../../shared/errors.ts";
import { MemoryBudget } from "../../shared/mux/flow/memory_budget.ts";
import { LogNotes } from "../../tests/support/log_notes.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { MemoryTransport } from "../../tests/support/mux/memory_transport.ts";
import { streamEnd } from "../../tests/support/mux/stream_end.ts";
import { sessionEnd } from "../../tests/support/mux/session_pair.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { within } from "../../tests/support/within.ts";
import { SessionRegistry } from "./session_registry.ts";

const PEER = {
  ...{ commonName: "laptop", serial: "1f", identity: "", notAfter: new Date(0) },
  names: { dns: [], uris: [], addresses: [] },
  chain: [],
};

const noRefusals = { addClient: () => assert.fail("a refusal") };

Deno.test("session registry logs what the stream listener throws, and the agent stays connected", async () => {
  const logged: LogFields[] = [];
  const registry = new SessionRegistry({
    log: { debug() {}, info() {}, warn() {}, error: (_, fields) => void logged.push(fields ?? {}) },
    refusals: noRefusals,
    budget: new MemoryBudget(0),
    session: {},
    clock: new ManualClock(),
  });
  registry.listen({
    stream() {
      throw new Error("a bug");
    },
  });
  const [near, far] = MemoryTransport.pair();
  const agent = sessionEnd(near, "dialer");
  registry.accept(far, PEER);
  await within(5_000, agent.opened, "the session opens");
  const stream = agent.session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  assert.equal((await streamEnd(stream))?.code, "internal");
  assert.equal(logged.length, 1);
  const { stack, ...fields } = logged[0]!;
  assert.deepEqual(fields, {
    client: "laptop",
    serial: "1f",
    error: "Cannot continue stream 1: its callback failed: a bug",
  });
  assert.match(String(stack), /session_registry_test/);
  assert.equal(registry.connectionCount, 1);
  agent.session.close("going_away", "done");
  await within(5_000, agent.closed, "the session closes");
  await MemoryTransport.settled();
  assert.equal(registry.connectionCount, 0);
});

Deno.test("session registry refuses an agent beyond its limit with the reason, and accepts one after another left", async () => {
  const clock = new ManualClock();
  const logged: unknown[] = [];
  const refused: string[] = [];
  const registry = new SessionRegistry({
    log: new LogNotes(),
    refusals: {
      addClient: (event, { code, message }, { commonName }) =>
        void logged.push([event, code, message, commonName]),
    },
    ...{ budget: new MemoryBudget(0), session: {}, clock, maxConnections: 1 },
    onRefused: (code) => void refused.push(code),
  });
  const connect = () => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer");
    registry.accept(far, PEER);
    return agent;
  };
  const first = connect();
  await within(5_000, first.opened, "the first session opens");
  const reason = "Cannot accept the agent: all connections are taken (max_connections is 1)";
  const error = await within(5_000, connect().closed, "the second is refused");
  assert.deepEqual([error?.code, error?.message], ["limit_reached", reason]);
  assert.deepEqual(logged, [["agent refused", "limit_reached", reason, "laptop"]]);
  assert.deepEqual(refused, ["limit_reached"]);
  assert.equal(registry.connectionCount, 1);
  first.session.close("going_away", "done");
  await within(5_000, first.closed, "the first session closes");
  await MemoryTransport.settled();
  const third = connect();
  await within(5_000, third.opened, "the third session opens");
  third.session.close("going_away", "done");
  await within(5_000, third.closed, "the third session closes");
  await MemoryTransport.settled();
  assert.deepEqual([registry.connectionCount, clock.timers], [0, 0]);
});

Deno.test("session registry cuts off agents that are no longer accepted, with their streams, and no others", async () => {
  const log = new LogNotes();
  const clock = new ManualClock();
  const registry = new SessionRegistry({
    ...{ log, refusals: noRefusals, budget: new MemoryBudget(0), session: {}, clock },
  });
  registry.listen({ stream: (stream) => stream.resume() });
  const connect = async (commonName: string) => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer");
    registry.accept(far, { ...PEER, commonName });
    await within(5_000, agent.opened, "the session opens");
    return agent;
  };
  const [good, bad] = [await connect("good"), await connect("bad")];
  const open = ({ session }: typeof good) =>
    session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  const streams = [open(good), open(bad)];
  const reason = "Cannot keep the connection: it was revoked";
  log.take();
  registry.revalidate(({ commonName }) =>
    commonName === "bad" ? new SallyportError("peer_rejected", reason) : undefined
  );
  assert.equal((await streamEnd(streams[1]!))?.code, "peer_rejected");
  assert.equal((await within(5_000, bad.closed, "the session closes"))?.message, reason);
  await MemoryTransport.settled();
  assert.deepEqual(log.notes[0], {
    level: "warn",
    message: "agent cut off",
    fields: { client: "bad", serial: "1f", code: "peer_rejected", error: reason },
  });
  assert.equal(registry.connectionCount, 1);
  assert.equal(streams[0]!.over, false);
  good.session.close("going_away", "done");
  await within(5_000, good.closed, "the session closes");
  await MemoryTransport.settled();
  assert.deepEqual([registry.connectionCount, clock.timers], [0, 0]);
});

Deno.test("session registry reports the only client of all agents, and when that changes", async () => {
  const told: (string | undefined)[] = [];
  const registry: SessionRegistry = new SessionRegistry({
    log: new LogNotes(),
    refusals: noRefusals,
    budget: new MemoryBudget(0),
    session: {},
    clock: new ManualClock(),
  });
  registry.listen({
    stream: () => assert.fail("a stream"),
    agentsChanged: () => void told.push(`${registry.agentCount} ${registry.onlyClient}`),
  });
  const connect = async (identity: string) => {
    const [near, far] = MemoryTransport.pair();
    const agent = sessionEnd(near, "dialer");
    registry.accept(far, { ...PEER, identity });
    await within(5_000, agent.opened, "the session opens");
    return agent.session;
  };
  const first = await connect("AA");
  const second = await connect("BB");
  second.close("going_away", "it leaves");
  await eventually("it is gone", () => assert.equal(registry.agentCount, 1));
  first.close("going_away", "it leaves");
  await eventually("all are gone", () => assert.equal(registry.agentCount, 0));
  assert.deepEqual(told, ["1 AA", "2 undefined", "1 AA", "0 undefined"]);
});

Deno.test("session registry counts sessions that wait and resume, and what they did after they are over", async () => {
  const clock = new ManualClock();
  const options = { resumeTimeout: 60_000 };
  const registry = new SessionRegistry({
    ...{ log: new LogNotes(), refusals: noRefusals, budget: new MemoryBudget(0), session: options, clock },
  });
  registry.listen({ stream: (stream) => stream.resume() });
  const [near, far] = MemoryTransport.pair();
  const { session, opened, closed } = sessionEnd(near, "dialer", options, clock);
  registry.accept(far, PEER);
  await within(5_000, opened, "the session opens");
  const stream = session.open({ type: "connect_request", payload: { host: "a", port: 1 } });
  const up = { sessions: 1, waiting: 0, links: 1, streams: 1, resumptions: 0, resentBytes: 0 };
  await eventually("the stream is open", () => assert.deepEqual(registry.totals, up));
  near.abort();
  await eventually("it waits", () => assert.deepEqual(registry.totals, { ...up, waiting: 1, links: 0 }));
  const [again, farAgain] = MemoryTransport.pair();
  session.dialled(again);
  registry.accept(farAgain, PEER);
  await eventually("it resumes", () => assert.deepEqual(registry.totals, { ...up, resumptions: 1 }));
  await eventually("the agent knows", () => assert.equal(session.linkCounts.open, 1));
  stream.reset("cancelled", "done");
  session.close("going_away", "done");
  await within(5_000, closed, "the session closes");
  const over = { sessions: 0, waiting: 0, links: 0, streams: 0, resumptions: 1, resentBytes: 0 };
  await eventually("it is over", () => assert.deepEqual(registry.totals, over));
  // The limit of log lines is that of a minute.
  clock.advance(60_000);
  assert.equal(clock.timers, 0);
});
