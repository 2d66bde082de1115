import assert from "node:assert/strict";
import fc from "fast-check";
import { naiveDecode, naiveEncode, type NaiveFrame } from "../../../tests/support/mux/naive_codec.ts";
import { SallyportError } from "../../errors.ts";
import { decodeEnvelope } from "../../protocol/envelope.ts";
import { FrameDecoder, FrameEncoder } from "./frame_codec.ts";

interface Vector {
  name: string;
  hex: string;
  type: string;
  payload: object;
  body: string;
}

const vectors: Vector[] = JSON.parse(
  Deno.readTextFileSync(new URL("../../../tests/vectors/frames.json", import.meta.url)),
);

function hex(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: string): Uint8Array {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
}

/** Decodes chunks, checks that the events are consistent, and returns the complete frames. */
function decode(chunks: Uint8Array[]): NaiveFrame[] {
  const frames: NaiveFrame[] = [];
  let current: NaiveFrame | undefined;
  let missing = 0;
  const decoder = new FrameDecoder({
    head(json, bodyLength, headBytes) {
      assert.equal(current, undefined, "a head before the last body was complete");
      assert.equal(headBytes, 8 + json.byteLength);
      const frame = { ...decodeEnvelope(json), body: [] };
      if (bodyLength === 0) frames.push(frame);
      else [current, missing] = [frame, bodyLength];
    },
    body(part, last) {
      assert.ok(current !== undefined && part.byteLength > 0);
      for (const byte of part) current.body.push(byte);
      missing -= part.byteLength;
      assert.equal(last, missing === 0);
      if (!last) return;
      frames.push(current);
      current = undefined;
    },
  });
  for (const chunk of chunks) decoder.push(chunk);
  return frames;
}

/** Splits bytes at these places, given as fractions of their length. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const offsets = places.map((place) => Math.floor(place * bytes.byteLength)).sort((a, b) => a - b);
  return [0, ...offsets].map((start, index) => bytes.slice(start, offsets[index] ?? bytes.byteLength));
}

const anyFrames = fc.array(
  fc.record({
    type: fc.string({ maxLength: 20 }),
    payload: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }),
    body: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 3_000 })),
  }),
  { maxLength: 8 },
);
const anyPlaces = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });

Deno.test("codec reads and writes the stored frames (SPEC 2.1, 2.3)", () => {
  assert.ok(vectors.length >= 20);
  for (const { name, hex: frame, type, payload, body } of vectors) {
    const expected = [{ type, payload, body: [...unhex(body)] }];
    assert.deepEqual(decode([unhex(frame)]), expected, name);
    const encoder = new FrameEncoder(new Uint8Array(16));
    encoder.append(JSON.stringify({ type, payload }), unhex(body));
    assert.equal(hex(encoder.bytes), frame, name);
    assert.deepEqual(naiveDecode(unhex(frame)), { frames: expected, taken: frame.length / 2 }, name);
  }
});

Deno.test("codec reads a frame that arrives byte by byte (SPEC 2.1)", () => {
  for (const { name, hex: frame, type, payload, body } of vectors) {
    const bytes = [...unhex(frame)].map((byte) => new Uint8Array([byte]));
    assert.deepEqual(decode(bytes), [{ type, payload, body: [...unhex(body)] }], name);
  }
});

Deno.test("codec decodes what the reference decodes, however the bytes are split", () => {
  fc.assert(
    fc.property(anyFrames, anyPlaces, fc.double({ min: 0, max: 1, noNaN: true }), (frames, places, kept) => {
      const whole = frames.flatMap(({ type, payload, body }) =>
        naiveEncode(JSON.stringify({ type, payload }), body)
      );
      const bytes = new Uint8Array(kept > 0.7 ? whole : whole.slice(0, Math.floor(kept * whole.length)));
      // Neither returns a frame whose body is incomplete.
      assert.deepEqual(decode(cut(bytes, places)), naiveDecode(bytes).frames);
    }),
    { numRuns: 300 },
  );
});

Deno.test("codec encodes what the reference encodes", () => {
  fc.assert(
    fc.property(anyFrames, fc.nat(4_000), (frames, room) => {
      const encoder = new FrameEncoder(new Uint8Array(room));
      const expected: number[] = [];
      for (const [index, { type, payload, body }] of frames.entries()) {
        const json = JSON.stringify({ type, payload });
        const frame = naiveEncode(json, body);
        const given = index % 2 === 0 ? json : new TextEncoder().encode(json);
        assert.equal(encoder.append(given, body), frame.length);
        expected.push(...frame);
      }
      assert.equal(encoder.length, expected.length);
      assert.equal(hex(encoder.bytes), hex(expected));
    }),
    { numRuns: 200 },
  );
});

Deno.test("codec writes into a view of a larger buffer", () => {
  const memory = new Uint8Array(64).fill(0xee);
  const encoder = new FrameEncoder(memory.subarray(10, 50));
  encoder.append("{}", new Uint8Array([1]));
  assert.equal(hex(memory.subarray(8, 24)), "eeee" + "0000000200000001" + "7b7d" + "01" + "eeeeee");
  encoder.append(" ".repeat(40));
  assert.equal(hex(encoder.bytes.subarray(0, 11)), "0000000200000001" + "7b7d" + "01");
});

Deno.test("codec passes bodies on in the parts in which they arrived, without copying", () => {
  const bytes = new Uint8Array(naiveEncode('{"type":"a","payload":{}}', [1, 2, 3, 4]));
  const parts: [number[], boolean][] = [];
  const decoder = new FrameDecoder({
    head: () => {},
    body(part, last) {
      assert.equal(part.buffer, bytes.buffer);
      parts.push([[...part], last]);
    },
  });
  decoder.push(bytes.subarray(0, bytes.byteLength - 3));
  decoder.push(bytes.subarray(bytes.byteLength - 3));
  assert.deepEqual(parts, [[[1], false], [[2, 3, 4], true]]);
});

Deno.test("codec refuses lengths out of range at the eighth byte, before it allocates (SPEC 2.2)", () => {
  for (const header of [[0, 0], [1, 0], [262_145, 0], [0xffff_ffff, 0], [2, 262_145], [2, 0xffff_ffff]]) {
    const bytes = new Uint8Array(8);
    header.forEach((value, index) => new DataView(bytes.buffer).setUint32(index * 4, value));
    for (const places of [[], [0.5], [0.9]]) {
      const largest = withLargestAllocation(() => {
        const act = () => decode(cut(bytes, places));
        assert.throws(act, (error) => error instanceof SallyportError && error.code === "frame_too_large");
      });
      assert.ok(largest >= 8 && largest <= 64, `allocated ${largest} bytes for ${header}`);
    }
  }
});

Deno.test("codec accepts the largest frame of SPEC 2.2", () => {
  const json = `{"type":"a","payload":{"x":"${"y".repeat(262_144 - 31)}"}}`;
  assert.equal(json.length, 262_144);
  const body = new Uint8Array(262_144).fill(7);
  const bytes = new Uint8Array(naiveEncode(json, body));
  const [frame] = decode(cut(bytes, [0.1, 0.3, 0.6]));
  assert.equal(frame?.body.length, 262_144);
  assert.equal(frame.payload.x.length, 262_144 - 31);
});

Deno.test("codec refuses an invalid envelope (SPEC 2.3)", () => {
  const texts = [
    "[]",
    "{}",
    "nul",
    '{"type":1,"payload":{}}',
    '{"type":"a","payload":[]}',
    '{"__proto__":{"type":"a"}}',
  ];
  const bad = [...texts.map((text) => naiveEncode(text)), naiveEncode([0x22, 0xff, 0x22])];
  bad.push(naiveEncode("[".repeat(262_144)));
  for (const frame of bad) {
    const act = () => decode([new Uint8Array(frame)]);
    assert.throws(act, (error) => error instanceof SallyportError && error.code === "protocol_violation");
  }
});

Deno.test("codec decodes any bytes into frames or one of the two violations", () => {
  const header = fc.tuple(fc.nat(40), fc.nat(40)).map(([json, body]) => [0, 0, 0, json, 0, 0, 0, body]);
  const noise = fc.array(fc.oneof(header, fc.array(fc.nat(255), { maxLength: 60 })), { maxLength: 10 });
  fc.assert(
    fc.property(noise, anyPlaces, (pieces, places) => {
      try {
        decode(cut(new Uint8Array(pieces.flat()), places));
      } catch (error) {
        assert.ok(error instanceof SallyportError, String(error));
        assert.match(error.code, /^(frame_too_large|protocol_violation)$/);
      }
    }),
    { numRuns: 500 },
  );
});

/** Runs `act` and returns the length of the largest array that it allocated. */
function withLargestAllocation(act: () => void): number {
  const Real = Uint8Array;
  let largest = 0;
  const watch = new Proxy(Real, {
    construct(target, args, newTarget) {
      if (typeof args[0] === "number") largest = Math.max(largest, args[0]);
      return Reflect.construct(target, args, newTarget);
    },
  });
  globalThis.Uint8Array = watch;
  try {
    act();
  } finally {
    globalThis.Uint8Array = Real;
  }
  return largest;
}
