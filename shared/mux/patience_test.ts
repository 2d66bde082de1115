import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Patience } from "./patience.ts";

const OPTIONS = { what: "knocks", perSecond: 10, slowAt: 20, cutAt: 40 };

function spend(patience: Patience, count: number): void {
  for (let i = 0; i < count; i++) patience.spend();
}

Deno.test("patience is lost above its first mark, and ends above its second (SPEC 3.5)", () => {
  const patience = new Patience(new ManualClock(), OPTIONS);
  spend(patience, 20);
  assert.equal(patience.lost, false);
  patience.spend();
  assert.equal(patience.lost, true);
  spend(patience, 19);
  assert.throws(() => patience.spend(), {
    code: "limit_reached",
    message: "Cannot bear more knocks: more than 40, and 10 a second",
  });
});

Deno.test("patience comes back with time, and never above what it was", () => {
  const clock = new ManualClock();
  const patience = new Patience(clock, OPTIONS);
  spend(patience, 40);
  clock.advance(1_900);
  assert.equal(patience.lost, true);
  clock.advance(100);
  assert.equal(patience.lost, false);
  clock.advance(1_000_000);
  spend(patience, 40);
  assert.throws(() => patience.spend(), { code: "limit_reached" });
});

Deno.test("patience bears its rate for ever", () => {
  const clock = new ManualClock();
  const patience = new Patience(clock, OPTIONS);
  for (let second = 0; second < 100; second++) {
    spend(patience, 10);
    clock.advance(1_000);
  }
  assert.equal(patience.lost, false);
});
