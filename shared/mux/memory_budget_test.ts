import assert from "node:assert/strict";
import { MemoryBudget } from "./memory_budget.ts";

Deno.test("memory budget gives at most half of what is free", () => {
  const budget = new MemoryBudget(1_000);
  assert.equal(budget.reserve(100), 100);
  assert.equal(budget.reserve(1_000), 450);
  assert.equal(budget.reserve(1_000), 225);
  assert.equal(budget.reserved, 775);
});

Deno.test("memory budget never exceeds its limit, however often it is asked", () => {
  const budget = new MemoryBudget(1_000);
  for (let i = 0; i < 100; i++) budget.reserve(1_000);
  assert.ok(budget.reserved <= budget.limit, `${budget.reserved}`);
  assert.equal(budget.reserve(1_000), 0);
});

Deno.test("memory budget lends again what was given back", () => {
  const budget = new MemoryBudget(1_000);
  const granted = budget.reserve(1_000);
  budget.release(granted);
  assert.equal(budget.reserved, 0);
  assert.equal(budget.reserve(1_000), 500);
});

Deno.test("memory budget of nothing gives nothing", () => {
  assert.equal(new MemoryBudget(0).reserve(1), 0);
});
