import { streamOf } from "../link/counted_frame.ts";
import assert from "node:assert/strict";
import { SchedulerBench } from "../../../tests/support/mux/sender_bench.ts";
import { SallyportError } from "../../errors.ts";

const cancelled = new SallyportError("cancelled", "enough");

Deno.test("scheduler sends all frames of one event with one write", async () => {
  const bench = new SchedulerBench();
  bench.open(10);
  bench.open(10);
  assert.equal(bench.link.writes.length, 0);
  await bench.link.turn();
  assert.deepEqual(bench.link.types, [["connect_request", "connect_request"]]);
});

Deno.test("scheduler cuts bodies to 65,536 bytes (SPEC 2.5)", async () => {
  const bench = new SchedulerBench();
  bench.open(1_000_000);
  await bench.drain();
  const { frames } = bench.link;
  assert.equal(frames.reduce((sum, { body }) => sum + body.length, 0), 1_000_000);
  for (const { body } of frames) assert.ok(body.length <= 65_536, `${body.length}`);
});

Deno.test("scheduler keeps in flight what the estimate allows (SPEC 5.3)", async () => {
  const bench = new SchedulerBench();
  const { link } = bench;
  bench.open(5_000_000);
  const { path } = link.sender;
  for (let i = 0; i < 10; i++) await link.written();
  const sent = link.counted;
  assert.equal(path.inFlight, sent);
  assert.ok(sent <= path.window + 4_096, `${sent} of ${path.window}`);
  assert.ok(sent > path.window - 8_192, `${sent} of ${path.window}`);
  assert.equal(link.sender.acknowledged(100_000), true);
  await link.written();
  assert.ok(link.counted > sent);
});

Deno.test("scheduler gives streams equal turns by bytes, whatever the size of their writes (SPEC 5.4)", async () => {
  const bench = new SchedulerBench();
  const { link } = bench;
  const [bulk, small] = [bench.open(), bench.open()];
  bulk.write(new Uint8Array(900_000));
  for (let i = 0; i < 900; i++) small.write(new Uint8Array(1_000));
  let widest = 0;
  for (let i = 0; i < 60 && bulk.bytesOut < 800_000; i++) {
    await link.written();
    link.sender.acknowledged(link.counted);
    widest = Math.max(widest, Math.abs(bulk.bytesOut - small.bytesOut));
  }
  assert.ok(bulk.bytesOut >= 500_000, `${bulk.bytesOut}`);
  assert.ok(widest <= 70_000, `one stream was ${widest} bytes ahead`);
});

// Room that is no whole number of turns: a turn that is cut short goes on where it was.
for (const room of [20_480, 24_000, 30_000]) {
  Deno.test(`scheduler gives equal turns on a path with room for ${room} bytes at a time (SPEC 5.4)`, async () => {
    const bench = new SchedulerBench();
    const { path } = bench.link.sender;
    const [a, b] = [bench.open(1_000_000), bench.open(1_000_000)];
    let widest = 0;
    while (a.queued > 0 && b.queued > 0) {
      await bench.link.written();
      bench.clock.advance(2);
      bench.link.sender.acknowledged(path.delivered + Math.min(room, path.inFlight));
      widest = Math.max(widest, Math.abs(a.bytesOut - b.bytesOut));
    }
    assert.ok(widest < 16_384 + 4_096, `one stream was ${widest} bytes ahead`);
  });
}

Deno.test("scheduler sends a small stream between two turns of a large one (SPEC 5.4)", async () => {
  const bench = new SchedulerBench();
  const { link } = bench;
  const bulk = bench.open(5_000_000);
  await link.written();
  const small = bench.open(100);
  const before = bulk.bytesOut;
  link.sender.acknowledged(link.counted);
  await link.written();
  assert.equal(small.bytesOut, 100);
  const at = link.frames.findIndex(({ payload }) => payload.stream === small.id);
  const earlier = link.of(bulk, link.frames.slice(0, at));
  const ahead = earlier.reduce((sum, { body }) => sum + body.length, 0) - before;
  assert.ok(ahead <= 65_536, `${ahead} bytes went before`);
});

Deno.test("scheduler sends bulk in small writes for 250 ms after an interactive stream sent", async () => {
  const bench = new SchedulerBench();
  const { link, clock } = bench;
  const [bulk, chat] = [bench.open(), bench.open()];
  await bench.drain();
  bulk.write(new Uint8Array(400_000));
  await bench.drain();
  const largest = async () => {
    const before = link.writes.length;
    bulk.write(new Uint8Array(400_000));
    await bench.drain();
    // After a pause, its first bytes are not bulk.
    const sizes = link.writes.slice(before + 2).map((frames) => {
      return frames.reduce((sum, { body }) => sum + body.length, 0);
    });
    return Math.max(...sizes);
  };
  clock.advance(250);
  assert.ok(await largest() > 100_000, "nothing else is in use");
  chat.write(new Uint8Array(100));
  await bench.drain();
  clock.advance(249);
  assert.ok(await largest() <= 32_768 + 100, "the other stream may send again");
  clock.advance(1);
  assert.ok(await largest() > 100_000, "it did not");
});

Deno.test("scheduler sends nothing for a removed stream", async () => {
  const bench = new SchedulerBench();
  const [gone, stays] = [bench.open(1_000), bench.open(1_000)];
  bench.scheduler.remove(gone);
  await bench.link.turn();
  assert.deepEqual([gone.bytesOut, stays.bytesOut], [0, 1_000]);
});

Deno.test("scheduler sends by one link until the opening message was acknowledged (SPEC 4.4)", async () => {
  const bench = new SchedulerBench(2);
  const [first, second] = bench.links as [typeof bench.link, typeof bench.link];
  second.use = "nothing";
  const stream = bench.open(10);
  await first.turn();
  [first.use, second.use] = ["nothing", "all"];
  stream.write(new Uint8Array(20));
  await first.written();
  assert.deepEqual([first.of(stream).length, second.of(stream).length], [2, 0], "all by the first link");
  first.sender.acknowledged(first.counted);
  stream.write(new Uint8Array(30));
  await second.turn();
  assert.deepEqual([first.of(stream).length, second.of(stream).length], [2, 1], "then by another");
  assert.deepEqual(second.frames.map(({ payload }) => payload.n), [2]);
});

Deno.test("scheduler keeps bulk away from the link of interactive streams", async () => {
  const bench = new SchedulerBench(2);
  const [first, second] = bench.links as [typeof bench.link, typeof bench.link];
  [first.use, second.use] = ["interactive", "bulk"];
  const bulk = bench.open();
  const chat = bench.open();
  await bench.drain();
  bulk.write(new Uint8Array(1_000_000));
  await bench.drain();
  const byFirst = first.of(bulk).reduce((sum, { body }) => sum + body.length, 0);
  assert.ok(byFirst > 100_000 && byFirst < 200_000, `${byFirst} bytes before it was bulk`);
  assert.equal(bulk.bytesOut, 1_000_000);
  for (let i = 0; i < 10; i++) {
    chat.write(new Uint8Array(100));
    await bench.drain();
  }
  assert.equal(second.of(chat).length, 0);
  const frames = first.of(bulk).length;
  bench.clock.advance(60_000);
  bulk.write(new Uint8Array(100));
  await bench.drain();
  assert.equal(first.of(bulk).length, frames + 1, "it is interactive again after a while");
});

Deno.test("scheduler counts what is kept until it is acknowledged (SPEC 5.5)", async () => {
  const bench = new SchedulerBench();
  const { link } = bench;
  const stream = bench.open(1_000);
  await link.written();
  assert.ok(bench.kept >= 1_000 && bench.kept < 2_000, `${bench.kept}`);
  assert.equal(stream.kept, bench.kept);
  link.sender.acknowledged(link.counted);
  assert.deepEqual([bench.kept, stream.kept], [0, 0]);
  stream.write(new Uint8Array(500));
  await link.written();
  bench.scheduler.stop(link.sender.takeFrames());
  assert.equal(bench.kept, 0, "nothing is kept after the end");
});

Deno.test("scheduler sends again what a lost link did not deliver, by another one", async () => {
  const bench = new SchedulerBench(2);
  const [first, second] = bench.links as [typeof bench.link, typeof bench.link];
  second.use = "nothing";
  const stream = bench.open(10);
  await first.turn();
  assert.equal(stream.pinnedTo, first.sender);
  stream.write(new Uint8Array(5));
  await first.turn();
  const again = bench.scheduler.resend(first.sender.stop(), second.sender);
  assert.equal(stream.pinnedTo, second.sender, "the peer may not know the stream");
  second.sender.resend(again);
  await second.written();
  assert.deepEqual(second.frames, first.frames);
  second.sender.acknowledged(second.counted);
  assert.deepEqual([bench.kept, stream.pinnedTo], [0, undefined]);
});

Deno.test("scheduler sends again only the opening of a stream that was reset (SPEC 4.4)", async () => {
  const bench = new SchedulerBench(2);
  const [first, second] = bench.links as [typeof bench.link, typeof bench.link];
  second.use = "nothing";
  const streams = [bench.open(), bench.open()];
  await first.turn();
  for (const stream of streams) stream.write(new Uint8Array(300));
  await first.turn();
  streams[0]!.fail(cancelled);
  const again = bench.scheduler.resend(first.sender.stop(), second.sender);
  assert.deepEqual(again.map((frame) => [streamOf(frame)?.id, frame.n]), [[1, 0], [3, 0], [3, 1]]);
  assert.ok(streams[0]!.kept < streams[1]!.kept, "its bytes are not kept");
});

Deno.test("scheduler counts the text of kept frames, and lets go of it when they are dropped (SPEC 5.5)", async () => {
  const bench = new SchedulerBench();
  const stream = bench.open();
  await bench.drain();
  const before = bench.kept;
  stream.end(["a", "v".repeat(50_000)]);
  await bench.link.written();
  assert.ok(bench.kept - before > 50_000, `${bench.kept - before}`);
  stream.fail(cancelled);
  assert.ok(bench.kept - before < 1_000, `${bench.kept - before}`);
  assert.ok(bench.kept > before, "the frame itself is kept until it is acknowledged");
  await bench.drain();
  assert.equal(bench.kept, before);
});
