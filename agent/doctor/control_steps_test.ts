import assert from "node:assert/strict";
import { clockAheadBy } from "./control_steps.ts";

const DATE = "Wed, 25 Nov 2026 12:00:00 GMT";
const AT = Date.parse(DATE);

/** The result when this machine's clock differs from the field by `ms`. */
function ahead(ms: number, took = 0, more: Record<string, string> = {}): number | undefined {
  return clockAheadBy({ date: DATE, ...more }, { sent: AT + ms, received: AT + ms + took });
}

Deno.test("a clock within the resolution of Date is right", () => {
  for (const ms of [0, 500, 1_000]) assert.equal(ahead(ms), 0);
  // The answer may have been made at any moment in between.
  assert.equal(ahead(-4_000, 5_000), 0);
});

Deno.test("a clock is ahead or behind by the certain difference", () => {
  assert.equal(ahead(61_000), 60_000);
  assert.equal(ahead(-65_000, 5_000), -60_000);
});

Deno.test("a cached answer may carry the origin's time or the cache's", () => {
  for (const ms of [0, 3_600_000]) assert.equal(ahead(ms, 0, { age: "3600" }), 0);
  assert.equal(ahead(3_700_000, 0, { age: "3600" }), 99_000);
  assert.equal(ahead(-5_000, 0, { age: "3600" }), -5_000);
  assert.equal(ahead(3_600_000, 0, { age: "much" }), 3_599_000);
});

Deno.test("an answer without a date gives no time", () => {
  assert.equal(clockAheadBy({}, { sent: AT, received: AT }), undefined);
  assert.equal(clockAheadBy({ date: "today" }, { sent: AT, received: AT }), undefined);
});
