import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { AgeTimer } from "./age_timer.ts";

const noError = (error: unknown) => assert.fail(String(error));

Deno.test("age timer calls back for each remaining entry once, at its own time", () => {
  const clock = new ManualClock();
  const ages = new AgeTimer(clock, 60_000, noError);
  const called: string[] = [];
  ages.add(() => called.push("first"));
  clock.advance(10_000);
  const leave = ages.add(() => called.push("left"));
  ages.add(() => called.push("second"));
  clock.advance(49_999);
  assert.deepEqual(called, []);
  clock.advance(1);
  assert.deepEqual(called, ["first"]);
  leave();
  clock.advance(9_999);
  assert.deepEqual(called, ["first"]);
  clock.advance(1);
  assert.deepEqual(called, ["first", "second"]);
  clock.advance(200_000);
  assert.deepEqual([called.length, clock.timers], [2, 0]);
});

Deno.test("age timer has one timer for all entries, also when they come and go", () => {
  const clock = new ManualClock();
  const ages = new AgeTimer(clock, 60_000, noError);
  let timers = 0;
  const after = clock.after.bind(clock);
  clock.after = (ms, callback) => (timers++, after(ms, callback));
  for (let i = 0; i < 1_000; i++) ages.add(() => assert.fail("called"))();
  assert.equal(timers, 1);
  clock.advance(60_000);
  assert.equal(clock.timers, 0);
});

Deno.test("age timer continues after a callback that throws, and reports the error", () => {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const ages = new AgeTimer(clock, 60_000, (error) => void errors.push(error));
  const called: string[] = [];
  const broken = new Error("a bug");
  ages.add(() => {
    throw broken;
  });
  ages.add(() => called.push("same time"));
  clock.advance(1_000);
  ages.add(() => called.push("later"));
  clock.advance(59_000);
  assert.deepEqual([errors, called], [[broken], ["same time"]]);
  clock.advance(1_000);
  assert.deepEqual(called, ["same time", "later"]);
  assert.equal(clock.timers, 0);
});

Deno.test("age timer has one timer when a callback adds an entry, and skips entries that a callback removed", () => {
  const clock = new ManualClock();
  const ages = new AgeTimer(clock, 60_000, noError);
  const called: string[] = [];
  ages.add(() => {
    called.push("first");
    ages.add(() => called.push("added"));
    leave();
  });
  const leave = ages.add(() => called.push("left"));
  clock.advance(1_000);
  ages.add(() => called.push("second"));
  clock.advance(59_000);
  assert.deepEqual([called, clock.timers], [["first"], 1]);
  clock.advance(60_000);
  assert.deepEqual([called, clock.timers], [["first", "second", "added"], 0]);
});

Deno.test("age timer calls nothing back after it was stopped", () => {
  const clock = new ManualClock();
  const ages = new AgeTimer(clock, 60_000, noError);
  ages.add(() => assert.fail("called"));
  ages.stop();
  assert.equal(clock.timers, 0);
  clock.advance(60_000);
});
