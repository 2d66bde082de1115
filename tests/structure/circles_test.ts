import assert from "node:assert/strict";
import { circlesOf } from "./circles.ts";

function graph(edges: Readonly<Record<string, readonly string[]>>): Map<string, Set<string>> {
  return new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)]));
}

Deno.test("circlesOf finds no circle where everything points one way", () => {
  assert.deepEqual(circlesOf(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })), []);
});

Deno.test("circlesOf gives the shortest way around every circle", () => {
  const edges = { a: ["b"], b: ["c", "a"], c: ["a"], d: ["a", "e"], e: ["f"], f: ["d"] };
  assert.deepEqual(circlesOf(graph(edges)), [["a", "b", "a"], ["d", "e", "f", "d"]]);
});

Deno.test("circlesOf is not misled by nodes that nothing leads out of", () => {
  assert.deepEqual(circlesOf(graph({ a: ["library", "b"], b: ["library", "a"] })), [["a", "b", "a"]]);
});
