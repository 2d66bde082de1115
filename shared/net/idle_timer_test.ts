import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { IdleTimer } from "./idle_timer.ts";

function idleTimer(timeoutMs: number) {
  const clock = new ManualClock();
  const idleAt: number[] = [];
  const timer = new IdleTimer({ clock, timeoutMs, onIdle: () => idleAt.push(clock.now()) });
  return { clock, idleAt, timer };
}

Deno.test("IdleTimer tells once when nothing happened for its time", () => {
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

Deno.test("IdleTimer says nothing after it was stopped", () => {
  const { clock, idleAt, timer } = idleTimer(1_000);
  timer.stop();
  timer.stop();
  clock.advance(5_000);
  assert.deepEqual([idleAt, clock.timers], [[], 0]);
});

Deno.test("IdleTimer that never ends has no timer", () => {
  assert.equal(idleTimer(Infinity).clock.timers, 0);
});
