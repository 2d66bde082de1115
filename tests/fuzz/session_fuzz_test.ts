/** Whatever a peer sends, a session continues or ends with a code, and leaves nothing behind. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { FuzzedSession, type Joining, OTHER_KEY, type Step } from "../support/fuzz/fuzzed_session.ts";
import { naiveDecode } from "../support/mux/naive_codec.ts";
import { SESSION_KEY } from "../support/mux/session_pair.ts";

/** Mostly those of streams that exist, and those about as far ahead as they may be (SPEC.md 4.1). */
const id = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 6, arbitrary: fc.integer({ min: -1, max: 100 }) },
  fc.integer({ min: 65_530, max: 65_550 }),
);
/** Mostly the next number of the stream, which the run fills in; some as far ahead as they may be (SPEC.md 4.8). */
const n = fc.oneof(
  { weight: 16, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.integer({ min: -1, max: 4 }) },
  fc.integer({ min: 8_188, max: 8_200 }),
);
/** Mostly the first link. */
const link = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(9));
/** The `hello` of a further link (SPEC.md 3.6): mostly one that may join. */
const joining: fc.Arbitrary<Joining> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.record({
    session: fc.constantFrom<unknown>(SESSION_KEY, OTHER_KEY, SESSION_KEY.toUpperCase(), "", undefined, 7),
    join: fc.constantFrom<unknown>(true, true, false, undefined, "yes"),
    version: fc.constantFrom(2, 2, 2, 1),
  }),
);
const common = { end: fc.constantFrom(true, undefined), trailers: fc.constantFrom(["a", "b"], undefined) };
const target = { host: fc.constant("a"), port: fc.integer({ min: 0, max: 99 }) };

function send(type: string, payload: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Step> {
  const body = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(3_000));
  return fc.record({
    do: fc.constant("send" as const),
    type: fc.constant(type),
    payload: fc.record(payload) as fc.Arbitrary<object>,
    body,
    link,
  });
}

const linkSteps: readonly fc.Arbitrary<Step>[] = [
  fc.record({ do: fc.constant("link" as const), hello: fc.option(joining, { nil: undefined, freq: 8 }) }),
  fc.record({ do: fc.constant("link" as const), hello: joining }),
  fc.record({ do: fc.constant("cut" as const), link }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 3, 6_000) }),
  fc.record({
    do: fc.constant("local" as const),
    act: fc.constantFrom("open", "reset", "write", "end", "resume", "open", "write", "drain"),
    which: fc.nat(5),
  }),
];

const step: fc.Arbitrary<Step> = fc.oneof(
  send("connect_request", { stream: id, n, ...common, ...target }),
  send("connect_request", { stream: id, n, ...target }),
  send("connect_data", { stream: id, n, ...common }),
  send("connect_data", { stream: id, n }),
  send("websocket_close", { stream: id, n }),
  send("connect_ack", { stream: id, n }),
  send("connect_ack", { stream: id, n, end: fc.constantFrom<unknown>(true, false, "yes") }),
  send("http_response", {
    stream: id,
    n,
    ...common,
    status: fc.constantFrom(100, 101, 200),
    reason: fc.constant(""),
    headers: fc.constant([]),
  }),
  send("window", { stream: id, total: fc.integer({ min: 0, max: 20_000_000 }) }),
  send("ack", { bytes: fc.nat(400) }),
  send("reset", { stream: id, code: fc.constantFrom("cancelled", "unheard_of") }),
  send("ping", { nonce: fc.nat() }),
  send("goaway", { code: fc.constantFrom("going_away", "going_away", "internal"), last_stream: fc.nat(9) }),
  send("later", { stream: id }),
  send("later", {}),
  fc.record({ do: fc.constant("bytes" as const), bytes: fc.array(fc.nat(3), { maxLength: 9 }), link }),
  ...linkSteps,
);

const KINDS = [
  ["whatever a peer sends, by one link or several", step, 0.06],
  ["whatever links a peer dials", fc.oneof(...linkSteps), 0.01],
] as const;

for (const role of ["dialer", "listener"] as const) {
  for (const [what, steps, share] of KINDS) {
    fuzz(`session as ${role} tolerates ${what}`, [fc.array(steps, { maxLength: 40 })], async (all) => {
      const run = new FuzzedSession(role);
      for (const each of all) await run.take(each);
      if (run.session.state !== "closed") run.session.close("going_away", "enough");
      await run.settle();
      // Longer than a connection waits for a peer that says nothing.
      run.clock.advance(20_000);
      assertNothingLeft(run);
      assertWellFormed(run);
    }, { share });
  }
}

function assertNothingLeft(
  { recorded, session, wires, streams, closedCounts, budget, clock }: FuzzedSession,
): void {
  assert.ok(wires.every(({ over }) => over), "connections left");
  assert.equal(recorded.closed.length, 1, "closed events of the session");
  assert.deepEqual(recorded.consumerErrors, []);
  assert.equal(session.streamCount, 0);
  for (const stream of streams) {
    assert.equal(closedCounts.get(stream), 1, `closed events of stream ${stream.id}`);
  }
  assert.equal(budget.reserved, 0);
  assert.equal(budget.held.total, 0, "memory is held");
  assert.equal(clock.timers, 0, "timers left");
}

/** Asserts that only complete frames were written to each connection, beginning as SPEC.md 3.1 says. */
function assertWellFormed({ role, wires }: FuzzedSession): void {
  for (const { written } of wires) {
    const { taken, frames } = naiveDecode(written);
    assert.equal(taken, written.length);
    const isRefused = role === "listener" && frames[0]?.type === "goaway" && frames.length === 1;
    assert.ok(isRefused || frames[0] === undefined || frames[0].type === "hello", frames[0]?.type);
  }
}
