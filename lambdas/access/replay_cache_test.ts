import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { ReplayCache } from "./replay_cache.ts";

const LIFETIME = 120_000;

Deno.test("replay cache remembers an id up to and including the end of its lifetime", () => {
  const clock = new ManualClock();
  const ids = new ReplayCache(clock, LIFETIME);
  assert.equal(ids.add("alice", "1"), "added");
  clock.advance(LIFETIME);
  assert.equal(ids.add("alice", "1"), "seen");
  clock.advance(1);
  assert.equal(ids.add("alice", "1"), "added");
});

Deno.test("replay cache leaves room to others when a client uses up its share, which it gets back later", () => {
  const clock = new ManualClock();
  const ids = new ReplayCache(clock, LIFETIME, 100);
  let added = 0;
  while (ids.add("mallory", `${added}`) === "added") added++;
  assert.equal(added, 50);
  assert.equal(ids.add("alice", "1"), "added");
  assert.equal(ids.add("mallory", "0"), "seen", "none was forgotten");
  clock.advance(LIFETIME + 1);
  assert.equal(ids.add("mallory", "x"), "added");
});
