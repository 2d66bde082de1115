import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { LeakyBucket } from "./flood_guard.ts";

const OPTIONS = { what: "knocks", perSecond: 10, slowAt: 20, closeAt: 40 };

function add(bucket: LeakyBucket, count: number): void {
  for (let i = 0; i < count; i++) bucket.add();
}

Deno.test("leaky bucket slows down above its first limit, and throws above its second (SPEC 3.5)", () => {
  const bucket = new LeakyBucket(new ManualClock(), OPTIONS);
  add(bucket, 20);
  assert.equal(bucket.isHigh, false);
  bucket.add();
  assert.equal(bucket.isHigh, true);
  add(bucket, 19);
  assert.throws(() => bucket.add(), {
    code: "limit_reached",
    message: "Cannot continue: too many knocks (more than 40, plus 10 per second)",
  });
});

Deno.test("leaky bucket forgets over time, and never below zero", () => {
  const clock = new ManualClock();
  const bucket = new LeakyBucket(clock, OPTIONS);
  add(bucket, 40);
  clock.advance(1_900);
  assert.equal(bucket.isHigh, true);
  clock.advance(100);
  assert.equal(bucket.isHigh, false);
  clock.advance(1_000_000);
  add(bucket, 40);
  assert.throws(() => bucket.add(), { code: "limit_reached" });
});

Deno.test("leaky bucket never fills at its own rate", () => {
  const clock = new ManualClock();
  const bucket = new LeakyBucket(clock, OPTIONS);
  for (let second = 0; second < 100; second++) {
    add(bucket, 10);
    clock.advance(1_000);
  }
  assert.equal(bucket.isHigh, false);
});
