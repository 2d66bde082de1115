import assert from "node:assert/strict";
import { median, percentile, rotated } from "./statistics.ts";

Deno.test("the median is the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([9, 1, 10]), 9);
  assert.equal(median([10, 1, 9, 2]), 5.5);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("a percentile is the value at the nearest rank", () => {
  const values = [5, 1, 4, 2, 3, 6, 7, 10, 9, 8];
  assert.equal(percentile(values, 0.5), 5);
  assert.equal(percentile(values, 0.99), 10);
  assert.equal(percentile(values, 0), 1);
  assert.ok(Number.isNaN(percentile([], 0.5)));
});

Deno.test("each round begins with another element", () => {
  assert.deepEqual([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join("")), [
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
  assert.deepEqual(rotated([], 3), []);
});
