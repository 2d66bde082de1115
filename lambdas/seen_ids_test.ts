import assert from "node:assert/strict";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { SeenIds } from "./seen_ids.ts";

const LIFETIME = 120_000;

Deno.test("an id counts up to and including the last moment of its lifetime", () => {
  const clock = new ManualClock();
  const ids = new SeenIds(clock, LIFETIME);
  assert.equal(ids.add("alice", "1"), "added");
  clock.advance(LIFETIME);
  assert.equal(ids.add("alice", "1"), "seen");
  clock.advance(1);
  assert.equal(ids.add("alice", "1"), "added");
});

Deno.test("one client that uses up its share of ids leaves room for others, and gets it back", () => {
  const clock = new ManualClock();
  const ids = new SeenIds(clock, LIFETIME, 100);
  let added = 0;
  while (ids.add("mallory", `${added}`) === "added") added++;
  assert.equal(added, 50);
  assert.equal(ids.add("alice", "1"), "added");
  assert.equal(ids.add("mallory", "0"), "seen", "none was forgotten");
  clock.advance(LIFETIME + 1);
  assert.equal(ids.add("mallory", "x"), "added");
});
