import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_WINDOW } from "../../protocol/messages.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

const violation = { name: "SallyportError", code: "flow_control_violation" };

Deno.test("send window spends credit and gets more (SPEC 5.1)", () => {
  const window = new SendWindow(100);
  window.spend(100);
  assert.equal(window.credit, 0);
  assert.equal(window.raise(130), 30);
  assert.equal(window.credit, 30);
});

Deno.test("send window accepts credit up to 16 MiB and no byte more (SPEC 5.1)", () => {
  const window = new SendWindow(1);
  window.raise(MAX_WINDOW);
  assert.equal(window.credit, MAX_WINDOW);
  assert.throws(() => window.raise(MAX_WINDOW + 1), violation);
  window.spend(10);
  assert.equal(window.raise(MAX_WINDOW + 10), 10);
  assert.throws(() => window.raise(MAX_WINDOW + 11), violation);
});

Deno.test("send window ignores a total that came late or twice (SPEC 5.1)", () => {
  const window = new SendWindow(100);
  window.spend(60);
  for (const late of [100, 99, 50, 1]) assert.equal(window.raise(late), 0);
  assert.equal(window.credit, 40);
});

Deno.test("receive window refuses bytes without credit (SPEC 5.1)", () => {
  const window = new ReceiveWindow(100, 100, new MemoryBudget(0));
  window.receive(60);
  assert.throws(() => window.receive(41), violation);
  window.receive(40);
  assert.throws(() => window.receive(1), violation);
  window.receive(0);
});

Deno.test("receive window returns credit for consumed bytes, in few messages", () => {
  const window = new ReceiveWindow(100, 100, new MemoryBudget(0));
  window.receive(100);
  assert.equal(window.buffered, 0);
  window.deliver(100);
  assert.equal(window.buffered, 100);
  assert.equal(window.consume(24), 0);
  assert.equal(window.consume(1), 125);
  assert.equal(window.buffered, 75);
  window.receive(25);
  assert.throws(() => window.receive(1), violation);
});

Deno.test("receive window doubles while the reader keeps up, to its maximum", () => {
  const budget = new MemoryBudget(1_000_000);
  const window = new ReceiveWindow(1_000, 3_000, budget);
  const totals: number[] = [];
  for (let i = 0; i < 4; i++) {
    window.receive(1_000);
    window.deliver(1_000);
    totals.push(window.consume(1_000));
  }
  assert.deepEqual(totals, [3_000, 5_000, 6_000, 7_000]);
  assert.equal(budget.reserved, 2_000);
});

Deno.test("receive window does not grow for a reader that lags", () => {
  const budget = new MemoryBudget(1_000_000);
  const window = new ReceiveWindow(1_000, 16_000, budget);
  window.receive(1_000);
  window.deliver(1_000);
  assert.equal(window.consume(800), 1_800);
  assert.equal(budget.reserved, 0);
});

Deno.test("receive window grows while bytes wait for an earlier message: no reader lags", () => {
  const budget = new MemoryBudget(1_000_000);
  const window = new ReceiveWindow(1_000, 16_000, budget);
  window.receive(1_000);
  window.deliver(400);
  assert.equal(window.consume(400), 2_400);
  assert.equal(budget.reserved, 1_000);
});

Deno.test("receive window gives back the memory of its growth", () => {
  const budget = new MemoryBudget(10_000);
  const window = new ReceiveWindow(1_000, 16_000, budget);
  window.receive(1_000);
  window.deliver(1_000);
  window.consume(1_000);
  assert.equal(budget.reserved, 1_000);
  window.release();
  window.release();
  assert.equal(budget.reserved, 0);
});

Deno.test("receive window never exceeds its maximum, and loses no credit", () => {
  const steps = fc.array(fc.tuple(fc.nat(5_000), fc.nat(5_000)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4_000 }), fc.nat(20_000), (moves, initial, limit) => {
      const max = 16_000;
      const window = new ReceiveWindow(initial, max, new MemoryBudget(limit));
      let credit = initial;
      let buffered = 0;
      let received = 0;
      /** A total that the window sends is what may arrive in all; 0 is none. */
      const consume = (bytes: number) => {
        const total = window.consume(bytes);
        if (total > 0) credit = total - received;
      };
      for (const [wanted, read] of moves) {
        const sent = Math.min(wanted, credit);
        window.receive(sent);
        window.deliver(sent);
        received += sent;
        credit -= sent;
        buffered += sent;
        const consumed = Math.min(read, buffered);
        buffered -= consumed;
        consume(consumed);
        assert.ok(credit + buffered <= max, `${credit} + ${buffered}`);
        assert.equal(window.buffered, buffered);
      }
      consume(buffered);
      // All was read: what is missing is not yet returned, and less than a quarter of the window.
      assert.ok(credit > initial * 0.75 - 1 && credit > 0, `${credit} of ${initial}`);
    }),
    { numRuns: 300 },
  );
});
