import assert from "node:assert/strict";
import fc from "fast-check";
import { ack, data, incoming } from "../../../tests/support/mux/recording_stream.ts";
import { FrameOrder, type FrameReader, type FrameSink, MAX_NUMBERS_AHEAD } from "./frame_order.ts";

const TRAILERS = ["a", "b"];

/** Records what is delivered, and counts what is charged. */
class RecordingSink implements FrameSink {
  over = false;
  /** Heads and ends, and between them the bytes that were delivered. */
  readonly events: (string | number[])[] = [];
  readonly admitted: number[] = [];
  /** What frames that wait hold in addition to their bodies. */
  charged = 0;
  /** The number of a frame that breaks the rules of the stream. */
  refused: number | undefined;

  admit(bodyLength: number): void {
    this.admitted.push(bodyLength);
  }

  charge(bytes: number): void {
    this.charged += bytes;
    assert.ok(this.charged >= 0, "more was given back than was charged");
  }

  receiveHead({ n }: { n: number }, bodyLength: number): boolean {
    this.events.push(`head ${n} of ${bodyLength}`);
    this.over ||= n === this.refused;
    return !this.over;
  }

  receiveBody(bytes: Uint8Array): void {
    const last = this.events.at(-1);
    if (Array.isArray(last)) last.push(...bytes);
    else this.events.push([...bytes]);
  }

  receiveEnd(trailers: string[] | undefined): void {
    this.events.push(`end ${trailers}`);
  }
}

function make() {
  const sink = new RecordingSink();
  return { sink, order: new FrameOrder(sink) };
}

/** Bytes of the body of a frame, which depend on its number and their positions. */
function bodyOf(n: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (31 * n + index) % 251);
}

function begin(order: FrameOrder, n: number, length: number, end = false): FrameReader | undefined {
  const more = end ? { n, end, trailers: TRAILERS } : { n };
  return order.begin(incoming(n === 0 ? ack : data, more), length);
}

/** One frame as it arrives by a link: in parts of these sizes, and then the rest unless the link is lost before. */
interface Arrival {
  n: number;
  parts: number[];
  isWhole: boolean;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  n: fc.nat(6),
  parts: fc.array(fc.nat(40), { maxLength: 4 }),
  isWhole: fc.boolean(),
});

/** What arrived of each frame, as far as one link carried it. */
type Arrived = Map<number, number>;

/** Gives the order frames, a part at each step. */
function* carry(order: FrameOrder, frames: readonly Arrival[], lengths: readonly number[], arrived: Arrived) {
  for (const { n, parts, isWhole } of frames) {
    const length = lengths[n];
    if (length === undefined) continue;
    const body = bodyOf(n, length);
    const reader = begin(order, n, length, n === lengths.length - 1);
    arrived.set(n, Math.max(arrived.get(n) ?? 0, 0));
    yield;
    let at = 0;
    for (const size of isWhole ? [...parts, length] : parts) {
      const part = body.subarray(at, at + size);
      reader?.body(part);
      at += part.byteLength;
      arrived.set(n, Math.max(arrived.get(n)!, at));
      yield;
    }
  }
}

/** What has to be delivered when this much of each frame arrived. */
function expected(lengths: readonly number[], arrived: Arrived): (string | number[])[] {
  const events: (string | number[])[] = [];
  for (const [n, length] of lengths.entries()) {
    const have = arrived.get(n);
    if (have === undefined) break;
    events.push(`head ${n} of ${length}`);
    if (have > 0) events.push([...bodyOf(n, have)]);
    if (have < length) break;
    if (n === lengths.length - 1) events.push(`end ${TRAILERS}`);
  }
  return events;
}

Deno.test("frame order delivers what two links bring in any order, in parts and twice (SPEC 4.8)", () => {
  const lengths = fc.array(fc.nat(60), { minLength: 1, maxLength: 7 });
  const link = fc.array(arrival, { maxLength: 12 });
  const turns = fc.infiniteStream(fc.nat(1));
  fc.assert(
    fc.property(lengths, link, link, turns, (lengths, one, two, turns) => {
      const { sink, order } = make();
      const arrived: Arrived = new Map();
      const links = [carry(order, one, lengths, arrived), carry(order, two, lengths, arrived)];
      while (links.length > 0) {
        const index = turns.next().value! % links.length;
        if (links[index]!.next().done === true) links.splice(index, 1);
        assert.deepEqual(sink.events, expected(lengths, arrived));
        const waits = [...arrived.keys()].some((n) => !sink.events.includes(`head ${n} of ${lengths[n]}`));
        assert.equal(sink.charged > 0, waits, `${sink.charged} bytes are charged`);
      }
      // All frames again, as after the loss of all links.
      const all = lengths.map((_, n) => ({ n, parts: [7], isWhole: true }));
      for (const _ of carry(order, all, lengths, arrived));
      assert.deepEqual(sink.events, expected(lengths, new Map(lengths.entries())));
      assert.deepEqual([sink.charged, order.size], [0, 0]);
      assert.deepEqual(sink.admitted.toSorted(), lengths.toSorted(), "each frame took credit once");
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("frame order passes on bytes of the next frame as they arrive, and charges nothing", () => {
  const { sink, order } = make();
  const reader = begin(order, 0, 10)!;
  assert.deepEqual(sink.events, ["head 0 of 10"]);
  reader.body(bodyOf(0, 4));
  assert.deepEqual(sink.events, ["head 0 of 10", [...bodyOf(0, 4)]]);
  assert.equal(sink.charged, 0);
});

Deno.test("frame order drops what was delivered, and what waits completely (SPEC 4.8)", () => {
  const { order } = make();
  begin(order, 0, 0);
  assert.equal(begin(order, 0, 0), undefined, "it was delivered");
  begin(order, 2, 3)!.body(bodyOf(2, 3));
  assert.equal(begin(order, 2, 3), undefined, "it waits");
  begin(order, 4, 3)!.body(bodyOf(4, 2));
  assert.ok(begin(order, 4, 3), "its last byte is missing");
});

Deno.test("frame order refuses a number too far ahead (SPEC 4.8)", () => {
  const { order, sink } = make();
  const tooFar = { code: "protocol_violation", message: /too far ahead/ };
  assert.throws(() => begin(order, MAX_NUMBERS_AHEAD, 0), tooFar);
  begin(order, MAX_NUMBERS_AHEAD - 1, 0);
  begin(order, 0, 5);
  assert.throws(() => begin(order, MAX_NUMBERS_AHEAD, 0), tooFar, "0 is not complete");
  begin(order, 0, 5)!.body(bodyOf(0, 5));
  begin(order, MAX_NUMBERS_AHEAD, 0);
  assert.equal(sink.admitted.length, 3);
});

Deno.test("frame order refuses a copy of another length (SPEC 4.8)", () => {
  const { order } = make();
  const otherLength = { code: "protocol_violation", message: /two lengths/ };
  begin(order, 0, 5);
  assert.throws(() => begin(order, 0, 6), otherLength);
  begin(order, 3, 0);
  assert.throws(() => begin(order, 3, 1), otherLength);
});

Deno.test("frame order delivers nothing after a frame that breaks the rules of the stream", () => {
  const { order, sink } = make();
  sink.refused = 1;
  const reader = begin(order, 1, 5)!;
  begin(order, 2, 0);
  reader.body(bodyOf(1, 2));
  begin(order, 0, 0);
  reader.body(bodyOf(1, 3));
  assert.deepEqual(sink.events, ["head 0 of 0", "head 1 of 5"]);
});

Deno.test("frame order that was stopped holds nothing", () => {
  const { order } = make();
  begin(order, 1, 5);
  begin(order, 2, 5);
  assert.equal(order.size, 2);
  order.stop();
  assert.equal(order.size, 0);
});
