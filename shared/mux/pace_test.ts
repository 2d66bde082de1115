import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Pace } from "./pace.ts";

Deno.test("pace lets four mebibytes be done in an event, and the rest in the next", () => {
  const clock = new ManualClock();
  let calls = 0;
  const pace = new Pace(clock, () => calls++);
  for (let round = 1; round <= 3; round++) {
    pace.spend(4_194_303);
    assert.equal(pace.isSpent, false);
    pace.spend(1);
    assert.deepEqual([pace.isSpent, calls, clock.timers], [true, round - 1, 1]);
    clock.advance(0);
    assert.deepEqual([pace.isSpent, calls, clock.timers], [false, round, 0]);
  }
});

Deno.test("pace counts each event anew, and sets no timer for little", () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, () => assert.fail("nobody waits"));
  pace.spend(262_143);
  assert.equal(clock.timers, 0);
  for (let event = 0; event < 10; event++) {
    pace.spend(2_500_000);
    pace.spend(1_400_000);
    assert.deepEqual([pace.isSpent, clock.timers], [false, 1]);
    clock.advance(0);
  }
});

Deno.test("pace leaves no timer once nothing is left to do", () => {
  const clock = new ManualClock();
  const pace = new Pace(clock, () => assert.fail("nobody waits"));
  pace.spend(5_000_000);
  pace.rest();
  assert.deepEqual([pace.isSpent, clock.timers], [false, 0]);
});
