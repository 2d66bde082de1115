/** What streams hold is bounded for the process, whoever makes them hold it (SPEC.md 5.5). */
import assert from "node:assert/strict";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { over } from "../../tests/support/over.ts";
import { OPENING } from "../../tests/support/session_suite.ts";
import { type SessionEnd, sessionPair } from "../../tests/support/session_pair.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { testBytes } from "../../tests/support/test_bytes.ts";
import { MemoryBudget } from "./memory_budget.ts";
import type { MuxStream } from "./stream.ts";
import { STREAM_BYTES } from "./stream_memory.ts";

const LIMIT = 1_000_000;

/** Pairs of sessions whose listeners share one memory, as all connections of a server do. */
class Bench implements AsyncDisposable {
  readonly budget = new MemoryBudget(0, LIMIT);
  readonly ends: SessionEnd[] = [];

  async connect(): Promise<{ dialer: SessionEnd; listener: SessionEnd }> {
    const pair = await sessionPair(MemoryTransport.pair(), { answers: true, listenerBudget: this.budget });
    this.ends.push(pair.dialer, pair.listener);
    return pair;
  }

  get held(): number {
    return this.budget.held.total;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { session } of this.ends) session.close("going_away", "enough");
    await Promise.all(this.ends.map(({ closed }) => closed));
    assert.equal(this.held, 0, "memory is left");
    await MemoryTransport.settled();
  }
}

/** Opens streams that send bytes which nobody takes. */
function stall({ session }: SessionEnd, count: number, bytes: number): MuxStream[] {
  return Array.from({ length: count }, () => session.open(OPENING, testBytes(bytes)));
}

Deno.test("session holds no more than the process may, and says limit_reached to those beyond (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer } = await bench.connect();
  const streams = stall(dialer, 20, 100_000);
  const errors = streams.map((stream) => over(stream));
  await eventually("some streams were ended", () => {
    assert.ok(streams.filter((stream) => stream.over).length >= 11);
  });
  const ended = await Promise.all(errors.filter((_, index) => streams[index]!.over));
  assert.deepEqual(new Set(ended.map((error) => error?.code)), new Set(["limit_reached"]));
  assert.ok(streams.some((stream) => !stream.over), "the others stay");
  assert.ok(bench.held <= LIMIT, `${bench.held}`);
});

Deno.test("session takes from the connection that holds most; another goes on (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const [greedy, modest] = [await bench.connect(), await bench.connect()];
  const small = stall(modest.dialer, 1, 60_000)[0]!;
  const streams = stall(greedy.dialer, 30, 100_000);
  await eventually(
    "some streams were ended",
    () => assert.ok(streams.filter(({ over }) => over).length >= 20),
  );
  assert.equal(small.over, false);
});

Deno.test("session counts what messages hold, not only bodies (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer } = await bench.connect();
  const headers = ["a", "v".repeat(200_000)];
  const payload = { host: "a", port: 1, method: "GET", path: "/", headers };
  const streams = Array.from({ length: 8 }, () => dialer.session.open({ type: "http_request", payload }));
  await eventually(
    "some streams were ended",
    () => assert.ok(streams.filter(({ over }) => over).length >= 4),
  );
  assert.ok(bench.held <= LIMIT, `${bench.held}`);
});

Deno.test("session counts trailers, of the peer and its own, as long as the stream lives (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer, listener } = await bench.connect();
  const trailers = ["a", "v".repeat(100_000)];
  const near = dialer.session.open(OPENING, undefined, { end: true, trailers });
  const far = await listener.nextStream();
  await eventually("the end arrived", () => assert.ok(bench.held >= 100_000, `${bench.held}`));
  const ended = Promise.withResolvers<void>();
  far.listen({ end: () => ended.resolve() });
  far.resume();
  await ended.promise;
  assert.ok(bench.held >= 100_000, "whoever heard of the end may keep them");
  near.reset("cancelled", "enough");
  await over(far);
  assert.ok(bench.held < 1_000, `${bench.held}`);
  dialer.session.open(OPENING);
  const next = await listener.nextStream();
  next.write(testBytes(1_000_000));
  const before = bench.held;
  next.end(trailers);
  assert.ok(bench.held - before >= 100_000, `${bench.held - before}`);
  next.reset("cancelled", "enough");
});

Deno.test("session counts streams that hold nothing (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer, listener } = await bench.connect();
  const fitting = Math.floor(LIMIT / STREAM_BYTES);
  stall(dialer, fitting + 50, 0);
  await eventually("they arrived and some were ended", () => {
    const { streamCount } = listener.session;
    assert.ok(streamCount <= fitting && streamCount > fitting / 2, `${streamCount}`);
  });
});

Deno.test("session asks writers to pause early when memory is short (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer, listener } = await bench.connect();
  const relaxed = dialer.session.open(OPENING);
  const far = await listener.nextStream();
  assert.equal(far.write(testBytes(100_000)), true, "there is room");
  stall(dialer, 5, 100_000);
  await eventually("half is used", () => assert.ok(bench.budget.held.tight));
  const drained = Promise.withResolvers<void>();
  far.listen({ drain: () => drained.resolve() });
  assert.equal(far.write(testBytes(100_000)), false, "memory is short");
  await drained.promise;
  assert.equal(relaxed.over, false);
});
