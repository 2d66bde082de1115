import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { EventBudget } from "./event_budget.ts";

Deno.test("event budget allows 4 MiB of work in an event, and the rest in the next", () => {
  const clock = new ManualClock();
  let calls = 0;
  const budget = new EventBudget(clock, () => calls++);
  for (let round = 1; round <= 3; round++) {
    budget.spend(4_194_303);
    assert.equal(budget.isExhausted, false);
    budget.spend(1);
    assert.deepEqual([budget.isExhausted, calls, clock.timers], [true, round - 1, 1]);
    clock.advance(0);
    assert.deepEqual([budget.isExhausted, calls, clock.timers], [false, round, 0]);
  }
});

Deno.test("event budget starts from zero in each event, and sets no timer for little work", () => {
  const clock = new ManualClock();
  const budget = new EventBudget(clock, () => assert.fail("there was no work left"));
  budget.spend(262_143);
  assert.equal(clock.timers, 0);
  for (let event = 0; event < 10; event++) {
    budget.spend(2_500_000);
    budget.spend(1_400_000);
    assert.deepEqual([budget.isExhausted, clock.timers], [false, 1]);
    clock.advance(0);
  }
});

Deno.test("event budget that was stopped leaves no timer", () => {
  const clock = new ManualClock();
  const budget = new EventBudget(clock, () => assert.fail("there was no work left"));
  budget.spend(5_000_000);
  budget.stop();
  assert.deepEqual([budget.isExhausted, clock.timers], [false, 0]);
});
