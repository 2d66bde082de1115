import assert from "node:assert/strict";
import fc from "fast-check";
import { Queue } from "./queue.ts";

Deno.test("queue returns items in order, however pushes and shifts alternate", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { maxLength: 20 }), (turns) => {
    const queue = new Queue<number>();
    const model: number[] = [];
    let next = 0;
    for (const [pushes, takes] of turns) {
      for (let i = 0; i < pushes; i++) {
        queue.push(next);
        model.push(next++);
      }
      assert.equal(queue.last, model.at(-1));
      for (let i = 0; i < takes; i++) assert.equal(queue.shift(), model.shift());
      assert.deepEqual([queue.length, queue.first, queue.last], [model.length, model[0], model.at(-1)]);
    }
  }));
});

/** Milliseconds to shift each of `size` items, the best of several rounds. */
function timePerItem(size: number): number {
  let best = Infinity;
  for (let round = 0; round < 5; round++) {
    const queue = new Queue<number>();
    for (let i = 0; i < size; i++) queue.push(i);
    const began = performance.now();
    while (queue.shift() !== undefined);
    best = Math.min(best, (performance.now() - began) / size);
  }
  return best;
}

Deno.test("queue shifts from a long queue as fast as from a short one", () => {
  const ratio = timePerItem(262_144) / timePerItem(16_384);
  assert.ok(ratio < 8, `an item of a queue 16 times as long takes ${ratio} times as long`);
});

Deno.test("queue is empty after clear", () => {
  const queue = new Queue<number>();
  queue.push(1);
  queue.clear();
  assert.deepEqual([queue.length, queue.shift(), queue.last], [0, undefined, undefined]);
});
