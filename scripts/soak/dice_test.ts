import assert from "node:assert/strict";
import { Dice } from "./dice.ts";

const throws = (dice: Dice) => Array.from({ length: 50 }, () => dice.between(1, 6));

Deno.test("dice fall alike for the same seed, and differently for another or a part", () => {
  assert.deepEqual(throws(new Dice(7)), throws(new Dice(7)));
  assert.deepEqual(throws(new Dice(7).fork(1)), throws(new Dice(7).fork(1)));
  const some = [new Dice(7), new Dice(8), new Dice(7).fork(1), new Dice(7).fork(2)].map((dice) =>
    `${throws(dice)}`
  );
  assert.equal(new Set(some).size, 4);
});

Deno.test("dice show every number and no other", () => {
  const dice = new Dice(1);
  const seen = new Set(Array.from({ length: 500 }, () => dice.between(3, 8)));
  assert.deepEqual([...seen].sort(), [3, 4, 5, 6, 7, 8]);
});
