import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_WINDOW } from "../protocol/messages.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

const violation = { name: "SallyportError", code: "flow_control_violation" };

Deno.test("send window spends credit and gets more (SPEC 5.1)", () => {
  const window = new SendWindow(100);
  window.spend(100);
  assert.equal(window.credit, 0);
  window.widen(30);
  assert.equal(window.credit, 30);
});

Deno.test("send window takes credit up to 16 MiB and no byte more (SPEC 5.1)", () => {
  const window = new SendWindow(1);
  window.widen(MAX_WINDOW - 1);
  assert.equal(window.credit, MAX_WINDOW);
  assert.throws(() => window.widen(1), violation);
});

Deno.test("receive window refuses bytes without credit (SPEC 5.1)", () => {
  const window = new ReceiveWindow(100, 100, new MemoryBudget(0));
  window.receive(60);
  assert.throws(() => window.receive(41), violation);
  window.receive(40);
  assert.throws(() => window.receive(1), violation);
  window.receive(0);
});

Deno.test("receive window returns credit when bytes were handed on, in few messages", () => {
  const window = new ReceiveWindow(100, 100, new MemoryBudget(0));
  window.receive(100);
  assert.equal(window.buffered, 100);
  assert.equal(window.consume(24), 0);
  assert.equal(window.consume(1), 25);
  assert.equal(window.buffered, 75);
  window.receive(25);
  assert.throws(() => window.receive(1), violation);
});

Deno.test("receive window doubles while the reader keeps up, to its end", () => {
  const budget = new MemoryBudget(1_000_000);
  const window = new ReceiveWindow(1_000, 3_000, budget);
  const grants: number[] = [];
  for (let i = 0; i < 4; i++) {
    window.receive(1_000);
    grants.push(window.consume(1_000));
  }
  assert.deepEqual(grants, [2_000, 2_000, 1_000, 1_000]);
  assert.equal(budget.reserved, 2_000);
});

Deno.test("receive window does not grow for a reader that lags", () => {
  const budget = new MemoryBudget(1_000_000);
  const window = new ReceiveWindow(1_000, 16_000, budget);
  window.receive(1_000);
  assert.equal(window.consume(800), 800);
  assert.equal(budget.reserved, 0);
});

Deno.test("receive window gives the memory of its growth back", () => {
  const budget = new MemoryBudget(10_000);
  const window = new ReceiveWindow(1_000, 16_000, budget);
  window.receive(1_000);
  window.consume(1_000);
  assert.equal(budget.reserved, 1_000);
  window.release();
  window.release();
  assert.equal(budget.reserved, 0);
});

Deno.test("receive window never lets credit exceed its end, and no credit gets lost", () => {
  const steps = fc.array(fc.tuple(fc.nat(5_000), fc.nat(5_000)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4_000 }), fc.nat(20_000), (moves, initial, limit) => {
      const max = 16_000;
      const window = new ReceiveWindow(initial, max, new MemoryBudget(limit));
      let credit = initial;
      let buffered = 0;
      for (const [wanted, read] of moves) {
        const sent = Math.min(wanted, credit);
        window.receive(sent);
        credit -= sent;
        buffered += sent;
        const consumed = Math.min(read, buffered);
        buffered -= consumed;
        credit += window.consume(consumed);
        assert.ok(credit + buffered <= max, `${credit} + ${buffered}`);
        assert.equal(window.buffered, buffered);
      }
      credit += window.consume(buffered);
      // All was read: what is missing waits to be returned, and is less than a quarter of the window.
      assert.ok(credit > initial * 0.75 - 1 && credit > 0, `${credit} of ${initial}`);
    }),
    { numRuns: 300 },
  );
});
