import assert from "node:assert/strict";
import { RecentBytes } from "./recent_bytes.ts";

const BULK = 131_072;

Deno.test("recent bytes are bulk above 128 KiB at once, and no longer after a while", () => {
  const recent = new RecentBytes();
  recent.add(BULK, 0, true);
  assert.equal(recent.isBulk(0), false);
  recent.add(1, 0, true);
  assert.equal(recent.isBulk(0), true);
  assert.equal(recent.isBulk(1), false);
});

Deno.test("recent bytes of a slow path are bulk while something waits", () => {
  const recent = new RecentBytes();
  let now = 0;
  for (let sent = 0; sent <= BULK; sent += 1_000) recent.add(1_000, now += 1_000, false);
  assert.equal(recent.isBulk(now), true);
  recent.add(1_000, now += 1_000, true);
  assert.equal(recent.isBulk(now), false);
});

Deno.test("recent bytes of a stream that sends little at a time are never bulk", () => {
  const recent = new RecentBytes();
  for (let now = 0; now < 10_000; now += 10) {
    recent.add(16_384, now, true);
    assert.equal(recent.isBulk(now), false, `${now} ms`);
  }
});
