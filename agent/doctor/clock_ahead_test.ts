import assert from "node:assert/strict";
import { clockAheadBy } from "./clock_ahead.ts";

const DATE = "Wed, 25 Nov 2026 12:00:00 GMT";
const AT = Date.parse(DATE);

/** By `ms` this machine's clock differs from the time in the field. */
function ahead(ms: number, took = 0, more: Record<string, string> = {}): number | undefined {
  return clockAheadBy({ date: DATE, ...more }, { sent: AT + ms, received: AT + ms + took });
}

Deno.test("a clock within what Date can tell is not ahead", () => {
  for (const ms of [0, 500, 1_000]) assert.equal(ahead(ms), 0);
  // The answer may be from any moment in between.
  assert.equal(ahead(-4_000, 5_000), 0);
});

Deno.test("a clock is ahead or behind by what is certain", () => {
  assert.equal(ahead(61_000), 60_000);
  assert.equal(ahead(-65_000, 5_000), -60_000);
});

Deno.test("where a cache answered, the time may be that of the origin or that of the cache", () => {
  for (const ms of [0, 3_600_000]) assert.equal(ahead(ms, 0, { age: "3600" }), 0);
  assert.equal(ahead(3_700_000, 0, { age: "3600" }), 99_000);
  assert.equal(ahead(-5_000, 0, { age: "3600" }), -5_000);
  assert.equal(ahead(3_600_000, 0, { age: "much" }), 3_599_000);
});

Deno.test("an answer without a date tells nothing", () => {
  assert.equal(clockAheadBy({}, { sent: AT, received: AT }), undefined);
  assert.equal(clockAheadBy({ date: "today" }, { sent: AT, received: AT }), undefined);
});
