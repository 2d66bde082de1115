import assert from "node:assert/strict";
import { SeededRandom } from "./seeded_random.ts";

const numbers = (random: SeededRandom) => Array.from({ length: 50 }, () => random.between(1, 6));

Deno.test("SeededRandom gives the same numbers for the same seed, and others for another seed or part", () => {
  assert.deepEqual(numbers(new SeededRandom(7)), numbers(new SeededRandom(7)));
  assert.deepEqual(numbers(new SeededRandom(7).fork(1)), numbers(new SeededRandom(7).fork(1)));
  const generators = [
    new SeededRandom(7),
    new SeededRandom(8),
    new SeededRandom(7).fork(1),
    new SeededRandom(7).fork(2),
  ];
  assert.equal(new Set(generators.map((random) => `${numbers(random)}`)).size, 4);
});

Deno.test("SeededRandom gives every number of a range and no other", () => {
  const random = new SeededRandom(1);
  const seen = new Set(Array.from({ length: 500 }, () => random.between(3, 8)));
  assert.deepEqual([...seen].sort(), [3, 4, 5, 6, 7, 8]);
});
