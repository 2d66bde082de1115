import assert from "node:assert/strict";
import { rise } from "./slope.ts";

Deno.test("rise is that of the line, as a part of the mean", () => {
  const leak = Array.from({ length: 11 }, (_, at) => [at * 5, 75 + at * 5] as const);
  assert.equal(rise(leak), 0.5);
  assert.equal(rise(leak.map(([time, value]) => [time, -value + 200] as const)), -0.5);
});

Deno.test("rise does not see noise, and nothing in too few samples", () => {
  const noise = Array.from({ length: 40 }, (_, at) => [at, at % 2 ? 120 : 80] as const);
  assert.ok(Math.abs(rise(noise)) < 0.05);
  assert.equal(rise([[1, 5]]), 0);
  assert.equal(rise([[1, 5], [1, 9]]), 0);
});
