import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { SeenIds } from "./seen_ids.ts";

Deno.test("an id counts once for each client, until its time is over", () => {
  const clock = new ManualClock();
  const seen = new SeenIds(clock, 1_000);
  assert.equal(seen.add("a", "1"), true);
  assert.equal(seen.add("a", "1"), false);
  assert.equal(seen.add("b", "1"), true);
  clock.advance(1_000);
  assert.equal(seen.add("a", "1"), true);
});

Deno.test("a client that calls all the time leaves room to others, and none of its ids is forgotten early", () => {
  const seen = new SeenIds(new ManualClock(), 1_000, 10);
  const added = Array.from({ length: 20 }, (_, id) => seen.add("greedy", String(id)));
  assert.equal(added.filter(Boolean).length, 5);
  assert.equal(seen.add("greedy", "0"), false);
  assert.equal(seen.add("other", "0"), true);
});
