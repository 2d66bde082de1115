import assert from "node:assert/strict";
import { within } from "../tests/support/within.ts";
import { CoarseTimers } from "./system_clock.ts";

Deno.test("coarse timers run once, not too early, and not when cancelled", async () => {
  const timers = new CoarseTimers();
  const ran: string[] = [];
  const began = performance.now();
  const done = Promise.withResolvers<void>();
  timers.after(20, () => ran.push("first"));
  const cancel = timers.after(20, () => ran.push("cancelled"));
  timers.after(20, () => done.resolve());
  cancel();
  cancel();
  await within(5_000, done.promise, "the timers run");
  assert.deepEqual(ran, ["first"]);
  assert.ok(performance.now() - began >= 20, "not early");
});

Deno.test("coarse timers may cancel each other while they run", async () => {
  const timers = new CoarseTimers();
  const ran: string[] = [];
  const done = Promise.withResolvers<void>();
  let cancelSecond = () => {};
  timers.after(10, () => {
    ran.push("first");
    cancelSecond();
    timers.after(1, () => done.resolve());
  });
  cancelSecond = timers.after(10, () => ran.push("second"));
  await within(5_000, done.promise, "the last timer runs");
  assert.deepEqual(ran, ["first"]);
});

Deno.test("coarse timers hold no runtime timer once all are cancelled", () => {
  const timers = new CoarseTimers();
  const callback = () => assert.fail("it was cancelled");
  const cancels = [
    timers.after(60_000, callback),
    timers.after(60_000, callback),
    timers.after(90_000, callback),
  ];
  for (const cancel of cancels) cancel();
  // The sanitizer fails this test if a timer is left.
});
