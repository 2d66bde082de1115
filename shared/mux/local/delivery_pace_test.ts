import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { DeliveryPace } from "./delivery_pace.ts";

Deno.test("delivery pace allows 4 MiB of work in an event, and the rest in the next", () => {
  const clock = new ManualClock();
  let calls = 0;
  const pace = new DeliveryPace(clock, () => calls++);
  for (let round = 1; round <= 3; round++) {
    pace.spend(4_194_303);
    assert.equal(pace.isExhausted, false);
    pace.spend(1);
    assert.deepEqual([pace.isExhausted, calls, clock.timers], [true, round - 1, 1]);
    clock.advance(0);
    assert.deepEqual([pace.isExhausted, calls, clock.timers], [false, round, 0]);
  }
});

Deno.test("delivery pace starts from zero in each event, and sets no timer for little work", () => {
  const clock = new ManualClock();
  const pace = new DeliveryPace(clock, () => assert.fail("there was no work left"));
  pace.spend(262_143);
  assert.equal(clock.timers, 0);
  for (let event = 0; event < 10; event++) {
    pace.spend(2_500_000);
    pace.spend(1_400_000);
    assert.deepEqual([pace.isExhausted, clock.timers], [false, 1]);
    clock.advance(0);
  }
});

Deno.test("delivery pace that was stopped leaves no timer", () => {
  const clock = new ManualClock();
  const pace = new DeliveryPace(clock, () => assert.fail("there was no work left"));
  pace.spend(5_000_000);
  pace.stop();
  assert.deepEqual([pace.isExhausted, clock.timers], [false, 0]);
});
