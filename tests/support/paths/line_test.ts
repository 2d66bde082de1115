import assert from "node:assert/strict";
import { within } from "../within.ts";
import { Line } from "./line.ts";

Deno.test("a line delivers everything in order, none of it before the delay and the rate allow it", async () => {
  const done = Promise.withResolvers<void>();
  const delivered: [number, number][] = [];
  const startedAt = performance.now();
  // 8 Mbit/s are 1,000 bytes a millisecond.
  const line = new Line<number>({ delayMs: 10, mbit: 8 }, (item) => {
    delivered.push([item, performance.now() - startedAt]);
    if (item === 3) done.resolve();
  });
  for (const item of [1, 2, 3]) line.take(item, 2_000);
  await within(5_000, done.promise, "the last item");
  assert.deepEqual(delivered.map(([item]) => item), [1, 2, 3]);
  for (const [item, ms] of delivered) assert.ok(ms >= 10 + 2 * item, `item ${item} after ${ms} ms`);
});

Deno.test("a line tells how much waits for its rate", () => {
  const line = new Line<number>({ delayMs: 10, mbit: 0.001 }, () => {});
  assert.equal(line.backlog, 0);
  line.take(1, 50_000);
  assert.ok(line.backlog > 49_000 && line.backlog <= 50_000, String(line.backlog));
  line.stop();
});

Deno.test("a line without a rate has no queue", () => {
  const line = new Line<number>({ delayMs: 10 }, () => {});
  line.take(1, 1e9);
  assert.equal(line.backlog, 0);
  line.stop();
});
