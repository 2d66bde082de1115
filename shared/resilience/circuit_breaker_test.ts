import assert from "node:assert/strict";
import type { Clock } from "../clock.ts";
import { CircuitBreaker } from "./circuit_breaker.ts";

const WALL = 1_000_000;

function setUp(threshold = 5) {
  let time = 0;
  const clock: Clock = {
    now: () => time,
    wallTime: () => WALL + time,
    after: () => assert.fail("the breaker has no timer"),
  };
  const breaker = new CircuitBreaker({ threshold, minOpen: 1_000, maxOpen: 8_000, clock });
  return { breaker, advance: (ms: number) => time += ms };
}

function fail(breaker: CircuitBreaker, times: number): void {
  for (let n = 0; n < times; n++) breaker.failed();
}

Deno.test("breaker opens after failures in a row, and only those", () => {
  const { breaker } = setUp();
  fail(breaker, 4);
  breaker.succeeded();
  fail(breaker, 4);
  assert.equal(breaker.state, "closed");
  assert.equal(breaker.admit(), true);
  assert.equal(breaker.retryInMs, 0);
  breaker.failed();
  assert.equal(breaker.state, "open");
  assert.equal(breaker.admit(), false);
});

Deno.test("breaker says when it will let an attempt in", () => {
  const { breaker, advance } = setUp();
  fail(breaker, 5);
  const wait = breaker.retryInMs;
  assert(wait >= 1_000 && wait <= 2_000, `waits ${wait}`);
  assert.equal(breaker.retryAt, WALL + wait);
  advance(wait - 1);
  assert.equal(breaker.retryInMs, 1);
  assert.equal(breaker.retryAt, WALL + wait);
  assert.equal(breaker.admit(), false);
  advance(1);
  assert.equal(breaker.state, "half_open");
  assert.equal(breaker.retryInMs, 0);
});

Deno.test("breaker lets one attempt in while half open, and closes when it succeeds", () => {
  const { breaker, advance } = setUp();
  fail(breaker, 5);
  advance(breaker.retryInMs);
  assert.equal(breaker.admit(), true);
  assert.equal(breaker.admit(), false);
  assert.equal(breaker.state, "half_open");
  breaker.succeeded();
  assert.equal(breaker.state, "closed");
  fail(breaker, 4);
  assert.equal(breaker.state, "closed");
});

Deno.test("breaker opens again, for longer, when the trial fails", () => {
  const { breaker, advance } = setUp();
  fail(breaker, 5);
  for (const top of [4_000, 8_000, 8_000]) {
    advance(breaker.retryInMs);
    assert.equal(breaker.admit(), true);
    breaker.failed();
    assert.equal(breaker.state, "open");
    const wait = breaker.retryInMs;
    assert(wait >= top / 2 && wait <= top, `waits ${wait}, not ${top / 2}..${top}`);
  }
});

Deno.test("breaker opens for the shortest time again after a success", () => {
  const { breaker, advance } = setUp(1);
  for (let n = 0; n < 5; n++) {
    breaker.failed();
    advance(breaker.retryInMs);
    breaker.admit();
  }
  breaker.succeeded();
  breaker.failed();
  assert(breaker.retryInMs <= 2_000, `waits ${breaker.retryInMs}`);
});

Deno.test("breaker is not kept open by attempts that began before", () => {
  const { breaker, advance } = setUp();
  fail(breaker, 5);
  const wait = breaker.retryInMs;
  fail(breaker, 3);
  assert.equal(breaker.retryInMs, wait);
  advance(wait);
  breaker.failed();
  assert.equal(breaker.state, "half_open");
});

Deno.test("breaker closes when an attempt that began before succeeds after all", () => {
  const { breaker } = setUp();
  fail(breaker, 5);
  breaker.succeeded();
  assert.equal(breaker.state, "closed");
  assert.equal(breaker.admit(), true);
});

Deno.test("breaker lets the next one try when a trial was abandoned", () => {
  const { breaker, advance } = setUp();
  fail(breaker, 5);
  advance(breaker.retryInMs);
  breaker.admit();
  breaker.abandoned();
  assert.equal(breaker.state, "half_open");
  assert.equal(breaker.admit(), true);
});
