import assert from "node:assert/strict";
import { DeliveryRate } from "./delivery_rate.ts";

Deno.test("delivery rate is the best of the last ten rounds", () => {
  const rate = new DeliveryRate();
  assert.equal(rate.best, 0);
  rate.sample(8);
  rate.sample(5);
  for (let round = 1; round < 10; round++) {
    rate.nextRound(0, -Infinity);
    rate.sample(3);
    assert.equal(rate.best, 8, `round ${round}`);
  }
  rate.nextRound(0, -Infinity);
  assert.equal(rate.best, 3);
});

Deno.test("delivery rate keeps the last rounds when it forgets old ones", () => {
  const rate = new DeliveryRate();
  rate.sample(8);
  rate.nextRound(0, -Infinity);
  rate.sample(2);
  rate.nextRound(0, -Infinity);
  rate.forgetOld();
  assert.equal(rate.best, 2);
});

Deno.test("delivery rate keeps old rounds when the last ones have no sample", () => {
  const rate = new DeliveryRate();
  rate.sample(8);
  rate.nextRound(0, -Infinity);
  rate.nextRound(0, -Infinity);
  rate.forgetOld();
  assert.equal(rate.best, 8);
});
