import assert from "node:assert/strict";
import { MemoryBudget } from "./memory_budget.ts";

Deno.test("memory budget grants at most half of what is free", () => {
  const budget = new MemoryBudget(1_000);
  assert.equal(budget.reserve(100), 100);
  assert.equal(budget.reserve(1_000), 450);
  assert.equal(budget.reserve(1_000), 225);
  assert.equal(budget.reserved, 775);
});

Deno.test("memory budget never exceeds its limit, however many reservations are made", () => {
  const budget = new MemoryBudget(1_000);
  for (let i = 0; i < 100; i++) budget.reserve(1_000);
  assert.ok(budget.reserved <= budget.limit, `${budget.reserved}`);
  assert.equal(budget.reserve(1_000), 0);
});

Deno.test("memory budget grants again what was given back", () => {
  const budget = new MemoryBudget(1_000);
  const granted = budget.reserve(1_000);
  budget.release(granted);
  assert.equal(budget.reserved, 0);
  assert.equal(budget.reserve(1_000), 500);
});

Deno.test("memory budget of 0 grants nothing", () => {
  assert.equal(new MemoryBudget(0).reserve(1), 0);
});

Deno.test("memory budget leaves some to others, however much one client takes", () => {
  const budget = new MemoryBudget(1_000);
  const takeAll = (client: string) => {
    let taken = 0;
    for (let i = 0; i < 100; i++) taken += budget.reserve(1_000, client);
    return taken;
  };
  const greedy = takeAll("greedy");
  assert.ok(greedy > 480 && greedy <= 500, `${greedy}`);
  const other = budget.reserve(100, "other");
  assert.equal(other, 100);
  assert.ok(takeAll("other") > 130, "as much as stays free");
  assert.ok(budget.reserve(10, "third") === 10, "some is left for the next");
  budget.release(greedy, "greedy");
  assert.ok(budget.reserve(1_000, "greedy") > 100, "what was given back is granted again");
});

Deno.test("memory budget grants nothing to a client that holds more than its share while memory is tight", () => {
  const budget = new MemoryBudget(1_000, 1_000);
  budget.held.share(() => {}, "greedy").change(600);
  budget.held.share(() => {}, "modest").change(100);
  assert.equal(budget.reserve(100, "greedy"), 0);
  assert.equal(budget.reserve(100, "modest"), 100);
});
