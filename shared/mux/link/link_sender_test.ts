import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { SenderBench } from "../../../tests/support/mux/sender_bench.ts";
import type { FramedStream } from "../stream/framed_stream.ts";
import { type CountedFrame, sessionFrame } from "./counted_frame.ts";
import type { Batch, FrameSource } from "./frame_source.ts";

/** Gives a link frames of one stream, as many as fit, and records which were acknowledged. */
class TestSource implements FrameSource {
  /** Numbers of the frames that were acknowledged. */
  readonly arrived: number[] = [];
  readonly #waiting: CountedFrame[] = [];

  constructor(count: number, bodyLength: number) {
    for (let n = 0; n < count; n++) this.#waiting.push(streamFrame(n, bodyLength));
  }

  delivered({ n }: CountedFrame): void {
    this.arrived.push(n);
  }

  isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  fill(batch: Batch): boolean {
    while (batch.room > 0 && this.#waiting.length > 0) batch.append(this.#waiting.shift()!);
    return this.#waiting.length > 0;
  }
}

function streamFrame(n: number, bodyLength: number): CountedFrame {
  const json = JSON.stringify({ type: "connect_data", payload: { stream: 1, n } });
  return {
    json,
    body: new Uint8Array(bodyLength),
    owner: {} as FramedStream,
    n,
    opens: false,
    mustArrive: true,
  };
}

function bench(source?: FrameSource) {
  const clock = new ManualClock();
  const link = new SenderBench(clock, () => source);
  return { clock, link, sender: link.sender };
}

const ping = (nonce: number) => ({ type: "ping", payload: { nonce } }) as const;
const status = (agents: number) => sessionFrame({ type: "status", payload: { agents, streams: 0 } });
const reset = (stream: number) => sessionFrame({ type: "reset", payload: { stream, code: "cancelled" } });
/** Which messages these frames are. */
const names = (frames: readonly { json: string }[]) =>
  frames.map(({ json }) => JSON.parse(json)).map(({ type, payload }) => {
    return `${type} ${payload.n ?? payload.agents ?? payload.stream}`;
  });

Deno.test("link sender writes link messages, then session messages, then streams (SPEC 5.4)", async () => {
  const { link, sender } = bench(new TestSource(2, 10));
  sender.control(status(1), false);
  sender.message(ping(1));
  sender.control(status(2), false);
  assert.equal(link.writes.length, 0);
  await link.turn();
  assert.deepEqual(link.types, [["ping", "status", "status", "connect_data", "connect_data"]]);
});

Deno.test("link sender sends messages when the path is full (SPEC 5.3)", async () => {
  const { link, sender } = bench(new TestSource(1_000, 10_000));
  sender.schedule();
  for (let i = 0; i < 10; i++) await link.written();
  const { path } = sender;
  assert.equal(path.inFlight, link.counted);
  assert.ok(path.inFlight >= path.window && path.inFlight < path.window + 16_384, `${path.inFlight}`);
  const before = link.frames.length;
  sender.message(ping(1));
  sender.control(status(1), false);
  await link.turn();
  assert.deepEqual(link.frames.slice(before).map(({ type }) => type), ["ping", "status"]);
  assert.equal(sender.acknowledged(100_000), true);
  await link.written();
  assert.ok(link.frames.length > before + 2, "streams continue after an acknowledgement");
});

Deno.test("link sender waits for pending writes, and gathers frames meanwhile", async () => {
  const { link, sender } = bench();
  for (let nonce = 0; nonce < 10; nonce++) {
    sender.message(ping(nonce));
    await link.turn();
  }
  const pending = link.writes.length;
  assert.ok(pending < 10, `${pending} writes at once`);
  await link.written();
  assert.equal(link.writes.length, pending + 1, "the rest is sent in one write");
  assert.deepEqual(link.frames.map(({ payload }) => payload.nonce), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("link sender calls beforeWrite for every write of stream bytes", async () => {
  const { link, sender } = bench(new TestSource(1, 10));
  let total = 0;
  link.beforeWrite = () => sender.acknowledge(++total);
  await link.turn();
  sender.schedule();
  await link.turn();
  assert.deepEqual(link.types, [["ack", "connect_data"]]);
});

Deno.test("link sender calls back once everything was written", async () => {
  const { link, sender } = bench();
  let idle = 0;
  sender.message(ping(1));
  sender.whenIdle(() => idle++);
  await link.turn();
  assert.equal(idle, 0);
  await link.written();
  assert.equal(idle, 1);
  sender.message(ping(2));
  await link.written();
  assert.equal(idle, 1);
});

Deno.test("link sender with nothing to send calls back soon", async () => {
  const { link, sender } = bench();
  let idle = 0;
  sender.whenIdle(() => idle++);
  await link.turn();
  assert.equal(idle, 1);
});

Deno.test("link sender reports what was acknowledged completely (SPEC 5.2)", async () => {
  const source = new TestSource(3, 1_000);
  const { link, sender } = bench(source);
  sender.schedule();
  await link.written();
  assert.equal(sender.isClear, false);
  const one = link.counted / 3;
  assert.ok(sender.acknowledged(one - 1));
  assert.deepEqual(source.arrived, []);
  assert.ok(sender.acknowledged(2 * one));
  assert.deepEqual(source.arrived, [0, 1]);
  assert.equal(sender.acknowledged(2 * one - 1), false, "it decreases");
  assert.equal(sender.acknowledged(3 * one + 1), false, "more than was sent");
  assert.ok(sender.acknowledged(3 * one));
  assert.deepEqual([source.arrived, sender.isClear], [[0, 1, 2], true]);
});

Deno.test("link sender that was stopped sends nothing more, and returns what was not acknowledged", async () => {
  const { link, sender } = bench(new TestSource(2, 10));
  sender.control(status(1), false);
  await link.turn();
  sender.acknowledged(link.counted - 1);
  sender.resend([streamFrame(7, 0)]);
  sender.control(status(2), false);
  sender.message(ping(1));
  sender.acknowledge(5);
  assert.deepEqual(names(sender.stop()), ["connect_data 1", "connect_data 7", "status 2"]);
  const before = link.frames.length;
  sender.message(ping(2));
  sender.control(status(3), false);
  await link.written();
  assert.equal(link.frames.length, before);
  assert.deepEqual(sender.stop(), []);
});

Deno.test("link sender that gives up its frames still sends the messages that wait", async () => {
  const { link, sender } = bench(new TestSource(2, 10));
  sender.schedule();
  await link.turn();
  sender.control(status(1), false);
  assert.deepEqual(names(sender.takeFrames()), ["connect_data 0", "connect_data 1"]);
  await link.turn();
  assert.equal(link.frames.at(-1)?.type, "status");
  assert.ok(sender.acknowledged(link.counted), "an ack of what was given up may still come");
});

Deno.test("link sender sends frames of a lost link before streams, and what has to follow them (SPEC 4.4)", async () => {
  const { link, sender } = bench(new TestSource(1, 10));
  sender.resend([streamFrame(5, 10), streamFrame(6, 10)]);
  sender.control(reset(1), true);
  sender.control(status(1), false);
  await link.turn();
  assert.deepEqual(link.types, [["status", "connect_data", "connect_data", "reset", "connect_data"]]);
  assert.deepEqual(link.frames.map(({ payload }) => payload.n), [undefined, 5, 6, undefined, 0]);
});

Deno.test("link sender keeps at most 8,192 frames (SPEC 4.8)", async () => {
  const json = "{}";
  let delivered = 0;
  const source: FrameSource = {
    isWaiting: () => true,
    fill(batch) {
      while (batch.room > 0) {
        batch.append({
          json,
          body: new Uint8Array(0),
          owner: {} as FramedStream,
          n: 0,
          opens: false,
          mustArrive: true,
        });
      }
      return true;
    },
    delivered: () => delivered++,
  };
  const { link, sender } = bench(source);
  sender.schedule();
  for (let i = 0; i < 10; i++) await link.written();
  assert.equal(link.frames.length, 8_192);
  sender.acknowledged(10 * (8 + json.length));
  await link.written();
  assert.deepEqual([link.frames.length, delivered], [8_202, 10]);
});

Deno.test("link sender knows how long nothing of what is in flight was acknowledged (SPEC 3.8)", async () => {
  const { link, sender, clock } = bench(new TestSource(2, 10));
  clock.advance(500);
  assert.equal(sender.stalledFor, 0, "nothing is in flight");
  sender.schedule();
  await link.written();
  clock.advance(700);
  assert.deepEqual([sender.stalledFor, link.begun], [700, 1]);
  sender.acknowledged(1);
  clock.advance(100);
  assert.equal(sender.stalledFor, 100);
  sender.acknowledged(link.counted);
  clock.advance(100);
  assert.equal(sender.stalledFor, 0);
  sender.control(status(1), false);
  await link.written();
  assert.deepEqual([sender.stalledFor, link.begun], [0, 2]);
});

Deno.test("link sender sends the last of several acks that wait (SPEC 3.5)", async () => {
  const { link, sender } = bench();
  for (let total = 1; total <= 1_000; total++) sender.acknowledge(total);
  await link.turn();
  assert.deepEqual(link.frames.map(({ type, payload }) => [type, payload.bytes]), [["ack", 1_000]]);
});

Deno.test("link sender sends its hello before an ack (SPEC 3.1)", async () => {
  const { link, sender } = bench();
  sender.acknowledge(1);
  sender.message({ type: "hello", payload: { version: 2, software: "", window: 1, max_streams: 1 } });
  await link.turn();
  assert.deepEqual(link.types, [["hello", "ack"]]);
});

Deno.test("link sender limits what waits for a peer that does not read (SPEC 3.5)", async () => {
  const { link, sender } = bench();
  for (let count = 0; count < 15_000; count++) {
    sender.message({ type: "pong", payload: { nonce: 1e15 + count } });
    // The connection accepts two writes, which never complete.
    if (count < 2) await link.turn();
  }
  await link.turn();
  assert.equal(link.overflows, 0, "below the limit");
  for (let count = 0; count < 15_001; count++) {
    sender.message({ type: "pong", payload: { nonce: 1e15 + count } });
  }
  await link.turn();
  assert.equal(link.overflows, 1);
});

Deno.test("link sender limits session messages that the peer does not acknowledge (SPEC 3.5)", async () => {
  const { link, sender } = bench();
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) sender.control(reset(1_000_000 + i), false);
    for (let before = -1; before !== link.frames.length;) {
      before = link.frames.length;
      await link.written();
    }
  };
  await send(15_000);
  sender.acknowledged(link.counted);
  await send(15_000);
  assert.equal(link.overflows, 0, "what was acknowledged no longer counts");
  await send(10_000);
  assert.equal(link.overflows, 1);
});

Deno.test("link sender takes an ack that adds nothing for no progress (SPEC 3.8)", async () => {
  const { link, sender, clock } = bench(new TestSource(2, 10));
  sender.schedule();
  await link.written();
  sender.acknowledged(1);
  clock.advance(700);
  assert.equal(sender.acknowledged(1), true);
  assert.equal(sender.stalledFor, 700);
});

Deno.test("link sender counts link messages that wait as memory of its session (SPEC 5.5)", async () => {
  const { link, sender } = bench();
  for (let count = 0; count < 1_002; count++) {
    sender.message(ping(count));
    // The connection accepts two writes, which never complete.
    if (count < 2) await link.turn();
  }
  assert.ok(link.held >= 1_000 * 256 && link.held < 1_000 * 400, `${link.held}`);
  await link.written();
  assert.equal(link.held, 0, "they were written");
  for (let count = 0; count < 10; count++) sender.message(ping(count));
  assert.ok(link.held > 0);
  sender.stop();
  assert.equal(link.held, 0, "they were dropped");
});
