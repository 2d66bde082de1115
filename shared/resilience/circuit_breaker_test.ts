import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { CircuitBreaker } from "./circuit_breaker.ts";

function setUp(threshold = 5) {
  const clock = new ManualClock();
  return { breaker: new CircuitBreaker({ threshold, minOpen: 1_000, maxOpen: 8_000, clock }), clock };
}

function fail(breaker: CircuitBreaker, times: number): void {
  for (let n = 0; n < times; n++) breaker.failed();
}

/** Lets time pass until the breaker closes. @returns Milliseconds that it was open. */
function waitUntilClosed(breaker: CircuitBreaker, clock: ManualClock): number {
  let waited = 0;
  while (breaker.isOpen) {
    clock.advance(1);
    waited++;
  }
  return waited;
}

Deno.test("breaker opens after consecutive failures only", () => {
  const { breaker } = setUp();
  fail(breaker, 4);
  breaker.succeeded();
  fail(breaker, 4);
  assert.equal(breaker.isOpen, false);
  breaker.failed();
  assert.equal(breaker.isOpen, true);
});

Deno.test("breaker closes after its time, without a timer", () => {
  const { breaker, clock } = setUp();
  fail(breaker, 5);
  assert.equal(clock.timers, 0);
  const open = waitUntilClosed(breaker, clock);
  assert(open >= 1_000 && open <= 2_001, `was open for ${open} ms`);
});

Deno.test("breaker opens again, for longer, when the next attempt fails too", () => {
  const { breaker, clock } = setUp();
  fail(breaker, 5);
  for (const longest of [4_000, 8_000, 8_000]) {
    waitUntilClosed(breaker, clock);
    breaker.failed();
    const open = waitUntilClosed(breaker, clock);
    assert(open >= longest / 2 && open <= longest + 1, `was open for ${open} ms`);
  }
});

Deno.test("breaker opens for the shortest time again after a success", () => {
  const { breaker, clock } = setUp(1);
  for (let n = 0; n < 5; n++) {
    breaker.failed();
    waitUntilClosed(breaker, clock);
  }
  breaker.succeeded();
  breaker.failed();
  const open = waitUntilClosed(breaker, clock);
  assert(open <= 2_001, `was open for ${open} ms`);
});

Deno.test("breaker is not kept open by failures of earlier attempts", () => {
  const { breaker, clock } = setUp();
  fail(breaker, 5);
  clock.advance(500);
  fail(breaker, 3);
  const open = waitUntilClosed(breaker, clock);
  assert(open <= 1_501, `was open for ${open} ms more`);
});

// Sound: the tunnel reports a failure only once no attempt is pending, so it is the newest that is known. On a path that
// drops packets attempts last longer than the first open times; if their failures did not count after those, requests
// would wait for the whole timeout of the next attempt as well.
Deno.test("breaker opens again, once, when an attempt that began while it was open fails after that", () => {
  const { breaker, clock } = setUp();
  fail(breaker, 5);
  // Attempts begin now, while it is open.
  waitUntilClosed(breaker, clock);
  clock.advance(3_000);
  assert.equal(breaker.isOpen, false);
  breaker.failed();
  assert.equal(breaker.isOpen, true, "at once: there were enough failures before");
  clock.advance(500);
  breaker.failed();
  const open = 500 + waitUntilClosed(breaker, clock);
  assert(open >= 2_000 && open <= 4_001, `was open for ${open} ms: the second open time`);
});

Deno.test("breaker closes when an earlier attempt succeeds after all", () => {
  const { breaker } = setUp();
  fail(breaker, 5);
  breaker.succeeded();
  assert.equal(breaker.isOpen, false);
  fail(breaker, 4);
  assert.equal(breaker.isOpen, false);
});
