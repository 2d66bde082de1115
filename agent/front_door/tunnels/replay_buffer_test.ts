import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { testBytes } from "../../../tests/support/test_bytes.ts";
import { ReplayBuffer } from "./replay_buffer.ts";

Deno.test("ReplayBuffer returns all bytes in order, whatever the parts", () => {
  const all = testBytes(60_000);
  for (const size of [1, 100, 4_095, 4_096, 30_000]) {
    const buffer = new ReplayBuffer();
    for (let at = 0; at < all.byteLength; at += size) buffer.push(all.subarray(at, at + size));
    assert.equal(buffer.byteLength, all.byteLength);
    assert.ok(Buffer.from(all).equals(buffer.from(0)), `parts of ${size} bytes`);
    assert.ok(Buffer.from(all).subarray(777).equals(buffer.from(777)));
    assert.equal(buffer.from(all.byteLength).byteLength, 0);
  }
});

Deno.test("ReplayBuffer costs little more than its bytes, even in small parts of large buffers", () => {
  const buffer = new ReplayBuffer();
  for (let i = 0; i < 10_000; i++) buffer.push(new Uint8Array(65_536).subarray(0, 1));
  assert.ok(buffer.cost < 40_000, `${buffer.cost} bytes`);
  buffer.clear();
  assert.deepEqual([buffer.cost, buffer.byteLength], [0, 0]);
});

Deno.test("ReplayBuffer does not change bytes that it was given", () => {
  const given = new Uint8Array(new ArrayBuffer(300), 0, 200);
  const buffer = new ReplayBuffer();
  buffer.push(given);
  buffer.push(new Uint8Array(50).fill(7));
  assert.ok(new Uint8Array(given.buffer).every((byte) => byte === 0));
});
