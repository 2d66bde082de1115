import assert from "node:assert/strict";
import { compact } from "./compact.ts";

Deno.test("compact copies a small part of a large chunk, and hands on a large one", () => {
  const chunk = new Uint8Array(1_000).fill(7);
  const small = compact(chunk.subarray(10, 509));
  assert.deepEqual([small.byteLength, small.buffer.byteLength, small[0]], [499, 499, 7]);
  const large = chunk.subarray(0, 500);
  assert.equal(compact(large), large);
});
