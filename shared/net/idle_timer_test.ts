import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { IdleTimer } from "./idle_timer.ts";

function idleTimer(timeoutMs: number) {
  const clock = new ManualClock();
  const idleAt: number[] = [];
  const timer = new IdleTimer({ clock, timeoutMs, onIdle: () => idleAt.push(clock.now()) });
  return { clock, idleAt, timer };
}

Deno.test("IdleTimer calls back once when it was idle for its time", () => {
  const { clock, idleAt } = idleTimer(1_000);
  clock.advance(5_000);
  assert.deepEqual([idleAt, clock.timers], [[1_000], 0]);
});

Deno.test("IdleTimer counts from the last touch, with one timer", () => {
  const { clock, idleAt, timer } = idleTimer(1_000);
  for (let i = 0; i < 10; i++) {
    clock.advance(900);
    timer.touch();
    assert.equal(clock.timers, 1);
  }
  clock.advance(999);
  assert.deepEqual(idleAt, []);
  clock.advance(1);
  assert.deepEqual(idleAt, [10_000]);
});

Deno.test("IdleTimer does not call back after it was stopped", () => {
  const { clock, idleAt, timer } = idleTimer(1_000);
  timer.stop();
  timer.stop();
  clock.advance(5_000);
  assert.deepEqual([idleAt, clock.timers], [[], 0]);
});

Deno.test("IdleTimer with an infinite timeout has no timer", () => {
  assert.equal(idleTimer(Infinity).clock.timers, 0);
});

Deno.test("IdleTimer reports activity at most once a second", () => {
  const clock = new ManualClock();
  let active = 0;
  const timer = new IdleTimer({
    clock,
    timeoutMs: 60_000,
    onIdle: () => assert.fail("idle"),
    onActive: () => active++,
  });
  clock.advance(999);
  timer.touch();
  assert.equal(active, 0, "it began less than a second ago");
  for (let i = 0; i < 5; i++) {
    clock.advance(500);
    timer.touch();
  }
  assert.equal(active, 3);
  clock.advance(10_000);
  assert.equal(active, 3);
  timer.stop();
});
