import assert from "node:assert/strict";
import { relativeRise } from "./trend.ts";

Deno.test("relativeRise is the rise of the regression line as a part of the mean", () => {
  const leak = Array.from({ length: 11 }, (_, at) => [at * 5, 75 + at * 5] as const);
  assert.equal(relativeRise(leak), 0.5);
  assert.equal(relativeRise(leak.map(([time, value]) => [time, -value + 200] as const)), -0.5);
});

Deno.test("relativeRise ignores noise, and is 0 for too few samples", () => {
  const noise = Array.from({ length: 40 }, (_, at) => [at, at % 2 ? 120 : 80] as const);
  assert.ok(Math.abs(relativeRise(noise)) < 0.05);
  assert.equal(relativeRise([[1, 5]]), 0);
  assert.equal(relativeRise([[1, 5], [1, 9]]), 0);
});
