import assert from "node:assert/strict";
import { DeliveryRate } from "./delivery_rate.ts";

Deno.test("delivery rate is the best of the last ten rounds", () => {
  const rate = new DeliveryRate();
  assert.equal(rate.best, 0);
  rate.sample(8);
  rate.sample(5);
  for (let round = 1; round < 10; round++) {
    rate.nextRound();
    rate.sample(3);
    assert.equal(rate.best, 8, `round ${round}`);
  }
  rate.nextRound();
  assert.equal(rate.best, 3);
});

Deno.test("delivery rate that forgets keeps what it measured last", () => {
  const rate = new DeliveryRate();
  rate.sample(8);
  rate.nextRound();
  rate.sample(2);
  rate.nextRound();
  rate.forgetOld();
  assert.equal(rate.best, 2);
});

Deno.test("delivery rate never forgets the only thing that it knows", () => {
  const rate = new DeliveryRate();
  rate.sample(8);
  rate.nextRound();
  rate.nextRound();
  rate.forgetOld();
  assert.equal(rate.best, 8);
});
