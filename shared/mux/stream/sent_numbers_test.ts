import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_NUMBERS_AHEAD } from "./frame_order.ts";
import { SentNumbers } from "./sent_numbers.ts";

Deno.test("sent numbers have room for 8,192 above the lowest unacknowledged one (SPEC 4.8)", () => {
  const numbers = new SentNumbers();
  for (let n = 0; n < MAX_NUMBERS_AHEAD; n++) {
    assert.ok(numbers.hasRoom, `${n}`);
    numbers.add(n);
  }
  assert.equal(numbers.hasRoom, false);
  for (let n = 1; n < MAX_NUMBERS_AHEAD; n++) numbers.remove(n);
  assert.equal(numbers.hasRoom, false, "0 is missing");
  numbers.remove(0);
  for (let n = MAX_NUMBERS_AHEAD; n < 2 * MAX_NUMBERS_AHEAD; n++) {
    assert.ok(numbers.hasRoom, `${n}`);
    numbers.add(n);
  }
  assert.equal(numbers.hasRoom, false);
});

Deno.test("sent numbers have room as a list of them has it, whatever is acknowledged first", () => {
  const step = fc.record({ sent: fc.nat(3_000), acknowledged: fc.array(fc.nat(12_000), { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const numbers = new SentNumbers();
      const unacknowledged = new Set<number>();
      let next = 0;
      for (const { sent, acknowledged } of steps) {
        for (let i = 0; i < sent && numbers.hasRoom; i++) {
          numbers.add(next);
          unacknowledged.add(next++);
        }
        for (const first of acknowledged) {
          for (let n = first; n < first + 2_000; n++) {
            numbers.remove(n);
            unacknowledged.delete(n);
          }
        }
        const lowest = Math.min(next, ...[...unacknowledged].slice(0, 1));
        assert.equal(numbers.hasRoom, next - lowest < MAX_NUMBERS_AHEAD);
      }
    }),
    { numRuns: 50 },
  );
});
