/** The memory that streams hold is limited for the whole process, whatever a peer does (SPEC.md 5.5). */
import assert from "node:assert/strict";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { OPENING } from "../../../tests/support/mux/session_suite.ts";
import { naiveEncode, naiveSize } from "../../../tests/support/mux/naive_codec.ts";
import { RawPeer } from "../../../tests/support/mux/raw_peer.ts";
import { systemClock } from "../../system_clock.ts";
import { type SessionEnd, sessionEnd, sessionPair } from "../../../tests/support/mux/session_pair.ts";
import { eventually } from "../../../tests/support/eventually.ts";
import { testBytes } from "../../../tests/support/test_bytes.ts";
import { MemoryBudget } from "../flow/memory_budget.ts";
import type { MuxStream } from "../stream/stream.ts";
import { STREAM_BYTES } from "../flow/stream_memory.ts";

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

  /** A session with a peer that may break the protocol. */
  async connectRaw(): Promise<{ peer: RawPeer; listener: SessionEnd }> {
    const [near, far] = MemoryTransport.pair();
    const peer = new RawPeer(near);
    const listener = sessionEnd(far, "listener", {}, systemClock, this.budget);
    this.ends.push(listener);
    peer.hello();
    await listener.opened;
    return { peer, listener };
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

/** Opens streams that send bytes which are never consumed. */
function stall({ session }: SessionEnd, count: number, bytes: number): MuxStream[] {
  return Array.from({ length: count }, () => session.open(OPENING, testBytes(bytes)));
}

Deno.test("session resets streams with limit_reached above the memory limit of the process (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer } = await bench.connect();
  const streams = stall(dialer, 20, 100_000);
  const errors = streams.map((stream) => streamEnd(stream));
  await eventually("some streams were reset", () => {
    assert.ok(streams.filter((stream) => stream.over).length >= 11);
  });
  const ended = await Promise.all(errors.filter((_, index) => streams[index]!.over));
  assert.deepEqual(new Set(ended.map((error) => error?.code)), new Set(["limit_reached"]));
  assert.ok(streams.some((stream) => !stream.over), "the others stay");
  assert.ok(bench.held <= LIMIT, `${bench.held}`);
});

Deno.test("session resets streams of the connection that holds most; another continues (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const [greedy, modest] = [await bench.connect(), await bench.connect()];
  const small = stall(modest.dialer, 1, 60_000)[0]!;
  const streams = stall(greedy.dialer, 30, 100_000);
  await eventually(
    "some streams were reset",
    () => assert.ok(streams.filter(({ over }) => over).length >= 20),
  );
  assert.equal(small.over, false);
});

Deno.test("session stays at the memory limit when one turn writes to many streams (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer, listener } = await bench.connect();
  const streams: MuxStream[] = [];
  for (let n = 0; n < 40; n++) {
    dialer.session.open(OPENING);
    streams.push(await listener.nextStream());
  }
  let [closed, most] = [0, 0];
  for (const stream of streams) stream.listen({ closed: () => closed++ });
  for (const stream of streams) {
    stream.write(testBytes(60_000));
    most = Math.max(most, bench.held);
  }
  assert.ok(most > LIMIT / 2 && most <= LIMIT + 61_000, `${most}`);
  assert.ok(closed > 20 && closed < 40, `${closed}`);
});

Deno.test("session counts messages, not only bodies (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer } = await bench.connect();
  const headers = ["a", "v".repeat(200_000)];
  const payload = { host: "a", port: 1, method: "GET", path: "/", headers };
  const streams = Array.from({ length: 8 }, () => dialer.session.open({ type: "http_request", payload }));
  await eventually(
    "some streams were reset",
    () => assert.ok(streams.filter(({ over }) => over).length >= 4),
  );
  assert.ok(bench.held <= LIMIT, `${bench.held}`);
});

Deno.test("session counts trailers of both ends until the stream closes (SPEC 5.5)", async () => {
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
  assert.ok(bench.held >= 100_000, "the consumer may keep them");
  near.reset("cancelled", "enough");
  await streamEnd(far);
  assert.ok(bench.held < 1_000, `${bench.held}`);
  dialer.session.open(OPENING);
  const next = await listener.nextStream();
  next.write(testBytes(1_000_000));
  const before = bench.held;
  next.end(trailers);
  assert.ok(bench.held - before >= 100_000, `${bench.held - before}`);
  next.reset("cancelled", "enough");
});

Deno.test("session counts empty streams (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { dialer, listener } = await bench.connect();
  const fitting = Math.floor(LIMIT / STREAM_BYTES);
  stall(dialer, fitting + 50, 0);
  await eventually("they arrived and some were reset", () => {
    const { streamCount } = listener.session;
    assert.ok(streamCount <= fitting && streamCount > fitting / 2, `${streamCount}`);
  });
});

Deno.test("session counts a partial message until it is complete (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { peer, listener } = await bench.connectRaw();
  const before = bench.held;
  const frame = naiveEncode(JSON.stringify({ type: "unknown", payload: { a: "x".repeat(200_000) } }));
  peer.sendBytes(frame.slice(0, 20));
  await eventually("its length is counted", () => assert.ok(bench.held - before >= 200_000, `${bench.held}`));
  peer.sendBytes(frame.slice(20));
  await peer.settled();
  assert.equal(bench.held, before);
  peer.sendBytes(frame.slice(0, 20));
  await eventually("it is counted again", () => assert.ok(bench.held - before >= 200_000, `${bench.held}`));
  peer.close();
  await listener.closed;
  assert.equal(bench.held, before);
});

/** Waits until a session of a hostile peer is ended for its memory, and ends the others. */
async function assertOneEnds(
  bench: Bench,
  peers: readonly { peer: RawPeer; listener: SessionEnd }[],
): Promise<void> {
  const goaway = await Promise.any(peers.map(({ peer }) => peer.next("goaway")));
  assert.equal(goaway.payload["code"], "limit_reached");
  assert.ok(bench.held <= LIMIT, `${bench.held}`);
  for (const { peer } of peers) peer.abort();
  await Promise.all(peers.map(({ listener }) => listener.closed));
}

Deno.test("session closes connections whose partial messages exceed the memory limit (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const modest = await bench.connect();
  const stream = stall(modest.dialer, 1, 60_000)[0]!;
  const peers = await Promise.all(Array.from({ length: 6 }, () => bench.connectRaw()));
  for (const { peer } of peers) peer.sendBytes([0, 4, 0, 0, 0, 0, 0, 0, 0x7b]);
  await assertOneEnds(bench, peers);
  assert.equal(stream.over, false);
});

Deno.test("session makes writers wait early when memory is short (SPEC 5.5)", async () => {
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

/** Opens streams that the session resets at once. The peer acknowledges none of the answers. */
async function hoardResets(peer: RawPeer, count: number): Promise<void> {
  for (let id = 1; id < 2 * count; id += 2) {
    peer.send("connect_request", { stream: id, host: "h", port: 1, trailers: [] });
  }
  await peer.settled();
}

Deno.test("session counts messages that its peer has not acknowledged, and gives them back (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { peer, listener } = await bench.connectRaw();
  const before = bench.held;
  await hoardResets(peer, 100);
  assert.equal(peer.all("reset").length, 100);
  assert.ok(bench.held - before >= 100 * 300, `${bench.held - before}`);
  const counted = peer.all("reset").reduce((sum, frame) => sum + naiveSize(frame), 0);
  peer.send("ack", { bytes: counted });
  await peer.settled();
  assert.equal(bench.held, before);
  assert.equal(listener.session.state, "open");
});

Deno.test("session ends when it holds most as messages that its peer does not acknowledge (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const modest = await bench.connect();
  const stream = stall(modest.dialer, 1, 60_000)[0]!;
  const peers = await Promise.all(Array.from({ length: 5 }, () => bench.connectRaw()));
  for (const { peer } of peers) void hoardResets(peer, 900).catch(() => {});
  await assertOneEnds(bench, peers);
  assert.equal(stream.over, false);
});

Deno.test("session counts the ids of streams that arrive before lower ones (SPEC 5.5)", async () => {
  await using bench = new Bench();
  const { peer } = await bench.connectRaw();
  const before = bench.held;
  for (let id = 3; id < 203; id += 2) {
    peer.send("connect_request", { stream: id, host: "h", port: 1 });
    peer.send("reset", { stream: id, code: "cancelled" });
  }
  await peer.settled();
  assert.ok(bench.held - before >= 100 * 32, `${bench.held - before}`);
});
