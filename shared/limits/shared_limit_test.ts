import assert from "node:assert/strict";
import { SharedLimit, type SharedLimitOptions } from "./shared_limit.ts";

/** A limit whose holders are names, and those that it evicted. */
function scene(options: Omit<SharedLimitOptions<string>, "evict">) {
  const evicted: string[] = [];
  const limit = new SharedLimit<string>({ ...options, evict: (holder) => void evicted.push(holder) });
  const takeAll = (client: string, ...holders: string[]) =>
    holders.map((holder) => limit.take(client, holder));
  return { limit, evicted, takeAll };
}

Deno.test("shared limit lets one client use all of it, until others need their share", () => {
  const { limit, evicted, takeAll } = scene({ total: 4, whenFull: "evict" });
  assert.deepEqual(takeAll("a", "a1", "a2", "a3", "a4"), [true, true, true, true]);
  assert.equal(limit.take("a", "a5"), false, "it has the most itself");
  assert.deepEqual(takeAll("b", "b1", "b2"), [true, true]);
  assert.deepEqual(evicted, ["a1", "a2"], "the oldest of the client that has the most");
  assert.equal(limit.take("b", "b3"), false, "both have the same");
  assert.equal(limit.take("c", "c1"), true, "a third client has fewer than both");
  assert.equal(limit.countOf("c"), 1);
  assert.equal(limit.count, 4);
  assert.deepEqual(limit.figures(), { total: 4, used: 4, largestShare: 2, refused: 2, evicted: 3 });
});

Deno.test("shared limit lists its holders, the least recently taken or touched first", () => {
  const { limit, takeAll } = scene({ total: 3, whenFull: "evict" });
  takeAll("a", "a1", "a2", "a3");
  takeAll("b", "b1");
  limit.touch("a2");
  assert.deepEqual([[...limit], limit.has("a1"), limit.has("a2")], [["a3", "b1", "a2"], false, true]);
});

Deno.test("shared limit does not let two clients with one each evict each other", () => {
  const { limit, evicted } = scene({ total: 1, whenFull: "evict" });
  limit.take("a", "a1");
  assert.equal(limit.take("b", "b1"), false);
  assert.equal(limit.release("a1"), true);
  assert.equal(limit.release("a1"), false);
  assert.equal(limit.take("b", "b1"), true);
  assert.deepEqual(evicted, []);
});

Deno.test("shared limit evicts the cheapest of the client that has the most", () => {
  const costs: Record<string, number> = { a1: 3, a2: 2, a3: 2 };
  const { limit, evicted, takeAll } = scene({
    total: 3,
    whenFull: "evict",
    cost: (holder) => costs[holder]!,
  });
  takeAll("a", "a1", "a2", "a3");
  limit.take("b", "b1");
  assert.deepEqual(evicted, ["a2"]);
});

Deno.test("shared limit evicts what costs nothing, first of the client that has the most", () => {
  const { evicted, takeAll } = scene({ total: 3, whenFull: "evict", cost: () => 0 });
  assert.deepEqual(takeAll("b", "b1").concat(takeAll("a", "a1", "a2", "a3", "a4")), Array(5).fill(true));
  assert.deepEqual(evicted, ["a1", "a2"], "a client that wants more than all others pays itself");
  takeAll("c", "c1");
  assert.deepEqual(evicted, ["a1", "a2", "a3"]);
});

Deno.test("shared limit evicts what costs nothing even if another client has more", () => {
  const { limit, evicted, takeAll } = scene({
    total: 3,
    whenFull: "evict",
    cost: (holder) => holder === "b1" ? 0 : 1,
  });
  takeAll("a", "a1", "a2");
  takeAll("b", "b1");
  assert.equal(limit.take("a", "a3"), true);
  assert.deepEqual(evicted, ["b1"]);
});

Deno.test("shared limit can evict before it is reached, only from clients that have clearly more", () => {
  const { limit, evicted, takeAll } = scene({ total: 9, whenFull: "evict" });
  takeAll("a", "a1", "a2", "a3", "a4");
  takeAll("b", "b1");
  assert.equal(limit.evictFor("a", 8), 0);
  assert.equal(limit.evictFor("b", 8), 2);
  assert.deepEqual(evicted, ["a1", "a2"]);
});

Deno.test("shared limit that reserves gives each client as much as is free, and always leaves some", () => {
  const { limit } = scene({ total: 16, whenFull: "reserve" });
  const taken = ["a", "b", "c", "d", "e"].map((client) => {
    for (let i = 0; limit.take(client, client + i); i++);
    return limit.countOf(client);
  });
  assert.deepEqual(taken, [8, 4, 2, 1, 1]);
  assert.equal(limit.count, 16);
});

Deno.test("shared limit for one client refuses beyond its total", () => {
  const { takeAll } = scene({ total: 2, whenFull: "refuse" });
  assert.deepEqual(takeAll("", "1", "2", "3"), [true, true, false]);
});

Deno.test("shared limit is as fast with many holders as with few, if all cost the same", () => {
  const busy = (total: number) => {
    const limit = new SharedLimit<number>({ total, whenFull: "evict", evict: () => {} });
    for (let holder = 0; holder < total; holder++) limit.take("greedy", holder);
    return () => {
      const began = performance.now();
      for (let i = 0; i < 2_000; i++) assert.equal(limit.take("greedy", -1), false);
      return performance.now() - began;
    };
  };
  const [few, many] = [busy(8), busy(8_000)];
  const fastest = (run: () => number) => Math.min(...Array.from({ length: 5 }, run));
  fastest(few);
  const ratio = fastest(many) / fastest(few);
  assert.ok(ratio < 20, `${ratio} times as long for a thousand times as many`);
});
