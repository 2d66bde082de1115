/** The decoder reads what the naive encoder wrote, however the bytes are split, and refuses lengths out of range. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { SallyportError } from "../../shared/errors.ts";
import { FrameDecoder } from "../../shared/mux/wire/frame_codec.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { naiveEncode } from "../support/mux/naive_codec.ts";

interface DecodedFrame {
  json: number[];
  body: number[];
}

/** Decodes bytes that arrive in pieces; returns the frames, and the error code if it failed. */
function decode(
  bytes: Uint8Array,
  cuts: readonly number[],
): { frames: DecodedFrame[]; code: string | undefined } {
  const frames: DecodedFrame[] = [];
  let left = 0;
  const decoder = new FrameDecoder({
    head(json, bodyLength) {
      assert.equal(left, 0, "a frame began before the last one ended");
      frames.push({ json: [...json], body: [] });
      left = bodyLength;
    },
    body(part, last) {
      left -= part.byteLength;
      frames.at(-1)!.body.push(...part);
      assert.equal(last, left === 0);
    },
  });
  try {
    let start = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      const end = Math.max(start, Math.min(cut, bytes.length));
      // A copy of its own, as from a socket.
      const chunk = bytes.slice(start, end);
      decoder.push(chunk);
      start = end;
    }
    decoder.push(bytes.subarray(start));
    return { frames, code: undefined };
  } catch (error) {
    assert.ok(error instanceof SallyportError, `not a SallyportError: ${error}`);
    return { frames, code: error.code };
  }
}

const bytes = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength });
const frame = fc.record({ json: bytes(30, 2), body: bytes(40) });
const cuts = fc.array(fc.nat(300), { maxLength: 8 });

fuzz("frames are decoded as they were encoded, however they are split (SPEC 2.1)", [
  fc.array(frame, { maxLength: 5 }),
  cuts,
], (frames, at) => {
  const wire = new Uint8Array(frames.flatMap(({ json, body }) => naiveEncode([...json], body)));
  assert.deepEqual(decode(wire, at), {
    frames: frames.map(({ json, body }) => ({ json: [...json], body: [...body] })),
    code: undefined,
  });
}, { share: 0.12 });

fuzz("frames of any lengths are decoded or too large, however they are split (SPEC 2.2)", [
  fc.array(fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 255), fc.nat(255)), { maxLength: 40 }),
  cuts,
], (pairs, at) => {
  const wire = new Uint8Array(pairs.flat());
  const { frames, code } = decode(wire, at);
  assert.deepEqual(decode(wire, []), { frames, code }, "the cuts made a difference");
  if (code !== undefined) assert.equal(code, "frame_too_large");
}, { share: 0.05 });
