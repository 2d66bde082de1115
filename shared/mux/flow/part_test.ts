import assert from "node:assert/strict";
import fc from "fast-check";
import { compact, merge, type Part } from "./part.ts";

Deno.test("parts keep all bytes in order, and earlier views stay as they were", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5_000 }), fc.nat(65_536));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
      const parts: Part[] = [];
      const all: number[] = [];
      const views: { view: Uint8Array; copy: Uint8Array }[] = [];
      for (const [index, length] of sizes.entries()) {
        const bytes = new Uint8Array(length).fill(index + 1);
        all.push(...bytes.subarray(0, length));
        const last = parts.at(-1);
        if (last === undefined || merge(last, bytes) === undefined) parts.push({ bytes });
        const view = parts.at(-1)!.bytes;
        views.push({ view, copy: view.slice() });
      }
      assert.deepEqual(parts.flatMap(({ bytes }) => [...bytes]), all);
      for (const { view, copy } of views) assert.deepEqual(view, copy);
    }),
    { numRuns: 30 },
  );
});

Deno.test("parts of single bytes are merged: a quarter of a million take 16", () => {
  const parts: Part[] = [{ bytes: new Uint8Array(1) }];
  for (let i = 1; i < 262_144; i++) {
    const byte = new Uint8Array([i]);
    if (merge(parts.at(-1)!, byte) === undefined) parts.push({ bytes: byte });
  }
  assert.equal(parts.length, 16);
  const taken = parts.reduce((sum, { bytes }) => sum + bytes.buffer.byteLength, 0);
  assert.ok(taken <= 262_144, `${taken} bytes of buffers`);
});

Deno.test("compact copies a small part of a large chunk, and returns a large one as it is", () => {
  const chunk = new Uint8Array(1_000).fill(7);
  const small = compact(chunk.subarray(10, 509));
  assert.deepEqual([small.byteLength, small.buffer.byteLength, small[0]], [499, 499, 7]);
  const large = chunk.subarray(0, 500);
  assert.equal(compact(large), large);
});
