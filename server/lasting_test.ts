import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { Lasting } from "./lasting.ts";

Deno.test("lasting calls back for each that is still here, at its own time and once", () => {
  const clock = new ManualClock();
  const lasting = new Lasting(clock, 60_000);
  const told: string[] = [];
  lasting.add(() => told.push("first"));
  clock.advance(10_000);
  const leave = lasting.add(() => told.push("left"));
  lasting.add(() => told.push("second"));
  clock.advance(49_999);
  assert.deepEqual(told, []);
  clock.advance(1);
  assert.deepEqual(told, ["first"]);
  leave();
  clock.advance(9_999);
  assert.deepEqual(told, ["first"]);
  clock.advance(1);
  assert.deepEqual(told, ["first", "second"]);
  clock.advance(200_000);
  assert.deepEqual([told.length, clock.timers], [2, 0]);
});

Deno.test("lasting has one timer for all, also when they come and go", () => {
  const clock = new ManualClock();
  const lasting = new Lasting(clock, 60_000);
  let timers = 0;
  const after = clock.after.bind(clock);
  clock.after = (ms, callback) => (timers++, after(ms, callback));
  for (let i = 0; i < 1_000; i++) lasting.add(() => assert.fail("told"))();
  assert.equal(timers, 1);
  clock.advance(60_000);
  assert.equal(clock.timers, 0);
});

Deno.test("lasting calls nobody back after it was stopped", () => {
  const clock = new ManualClock();
  const lasting = new Lasting(clock, 60_000);
  lasting.add(() => assert.fail("told"));
  lasting.stop();
  assert.equal(clock.timers, 0);
  clock.advance(60_000);
});
