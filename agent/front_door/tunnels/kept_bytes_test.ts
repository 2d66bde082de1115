import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { testBytes } from "../../../tests/support/test_bytes.ts";
import { KeptBytes } from "./kept_bytes.ts";

Deno.test("KeptBytes returns all bytes in order, whatever the parts", () => {
  const all = testBytes(60_000);
  for (const size of [1, 100, 4_095, 4_096, 30_000]) {
    const kept = new KeptBytes();
    for (let at = 0; at < all.byteLength; at += size) kept.push(all.subarray(at, at + size));
    assert.equal(kept.byteLength, all.byteLength);
    assert.ok(Buffer.from(all).equals(kept.from(0)), `parts of ${size} bytes`);
    assert.ok(Buffer.from(all).subarray(777).equals(kept.from(777)));
    assert.equal(kept.from(all.byteLength).byteLength, 0);
  }
});

Deno.test("KeptBytes costs little more than its bytes, even in small parts of large buffers", () => {
  const kept = new KeptBytes();
  for (let i = 0; i < 10_000; i++) kept.push(new Uint8Array(65_536).subarray(0, 1));
  assert.ok(kept.cost < 40_000, `${kept.cost} bytes`);
  kept.clear();
  assert.deepEqual([kept.cost, kept.byteLength], [0, 0]);
});

Deno.test("KeptBytes does not change bytes that it was given", () => {
  const given = new Uint8Array(new ArrayBuffer(300), 0, 200);
  const kept = new KeptBytes();
  kept.push(given);
  kept.push(new Uint8Array(50).fill(7));
  assert.ok(new Uint8Array(given.buffer).every((byte) => byte === 0));
});
