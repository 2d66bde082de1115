import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { type PathShape, SimulatedPath } from "../../../tests/support/mux/simulated_path.ts";
import { PathEstimator } from "./path_estimator.ts";

/** Bytes per millisecond. */
const MBIT_100 = 12_500;

function simulate(shape: PathShape) {
  const clock = new ManualClock();
  const estimator = new PathEstimator(clock);
  return { estimator, path: new SimulatedPath(clock, estimator, shape) };
}

function median(sorted: number[]): number {
  return sorted[Math.floor(sorted.length / 2)]!;
}

function percentile95(sorted: number[]): number {
  return sorted[Math.floor(sorted.length * 0.95)]!;
}

function assertAtLeast(value: number, least: number, what: string): void {
  assert.ok(value >= least, `${what}: ${value} is below ${least}`);
}

function assertBelow(value: number, limit: number, what: string): void {
  assert.ok(value < limit, `${what}: ${value} is not below ${limit}`);
}

Deno.test("path estimator allows a first window before any measurement", () => {
  const { estimator } = simulate({ rate: 1, delay: 1 });
  assert.equal(estimator.roundTrip, undefined);
  assert.equal(estimator.inFlight, 0);
  assertAtLeast(estimator.window, 65_536, "window");
});

Deno.test("path estimator counts bytes in flight (SPEC 5.3)", () => {
  const estimator = new PathEstimator(new ManualClock());
  estimator.sent(1_000, false);
  estimator.sent(500, false);
  assert.equal(estimator.inFlight, 1_500);
  assert.equal(estimator.acknowledged(700), true);
  assert.equal(estimator.inFlight, 800);
  assert.equal(estimator.acknowledged(1_500), true);
  assert.equal(estimator.inFlight, 0);
});

Deno.test("path estimator refuses an acknowledgement that falls or exceeds what was sent (SPEC 5.2)", () => {
  const estimator = new PathEstimator(new ManualClock());
  assert.equal(estimator.acknowledged(1), false);
  estimator.sent(1_000, false);
  assert.equal(estimator.acknowledged(1_001), false);
  assert.equal(estimator.acknowledged(600), true);
  assert.equal(estimator.acknowledged(600), true);
  assert.equal(estimator.acknowledged(599), false);
  assert.equal(estimator.inFlight, 400);
});

Deno.test("path estimator fills 100 Mbit/s over 20 ms and keeps the queue small (SPEC 5.3)", () => {
  const { path, estimator } = simulate({ rate: MBIT_100, delay: 10 });
  path.offer(Infinity);
  assertAtLeast(path.run(2_000).rate, 0.95 * MBIT_100, "rate from the start");
  // A minute, so that the round trip is measured again several times.
  for (let second = 2; second < 60; second += 5) {
    const { rate, probes } = path.run(5_000);
    assertAtLeast(rate, 0.95 * MBIT_100, `rate after ${second} s`);
    assertBelow(median(probes), 35, `a probe's round trip after ${second} s`);
    assertBelow(percentile95(probes), 40, `nearly every probe's round trip after ${second} s`);
  }
  assertBelow(estimator.roundTrip!, 26, "round trip");
});

Deno.test("path estimator allows less with interactive streams where only a busy process delays", () => {
  const near = simulate({ rate: 500_000, delay: 0.1 });
  near.path.offer(Infinity);
  near.path.run(2_000);
  assertAtLeast(near.estimator.window, 1_000_000, "window without delay");
  assertBelow(near.estimator.quickWindow, 250_000, "window with interactive streams");
  const far = simulate({ rate: MBIT_100, delay: 10 });
  far.path.offer(Infinity);
  far.path.run(2_000);
  assert.equal(far.estimator.quickWindow, far.estimator.window, "a long path needs all of it");
});

Deno.test("path estimator reports the rate of a path that was full, and none while little is sent", () => {
  const { path, estimator } = simulate({ rate: MBIT_100, delay: 10 });
  for (let sent = 0; sent < 20; sent++) {
    path.offer(100);
    path.run(50);
  }
  assert.equal(estimator.rate, undefined);
  path.offer(Infinity);
  path.run(2_000);
  assertAtLeast(estimator.rate!, 0.95 * MBIT_100 * 1_000, "rate");
  assertBelow(estimator.rate!, 1.05 * MBIT_100 * 1_000, "rate");
});

Deno.test("path estimator grows on a fast path of 50 ms until it is filled", () => {
  const { path } = simulate({ rate: 200_000, delay: 25 });
  path.offer(Infinity);
  path.run(500);
  assertAtLeast(path.run(500).rate, 0.95 * 200_000, "rate after half a second");
});

Deno.test("path estimator follows a rate that falls, and one that rises again", () => {
  const { path } = simulate({ rate: MBIT_100, delay: 10 });
  path.offer(Infinity);
  path.run(3_000);
  path.shape.rate = MBIT_100 / 4;
  path.run(3_000);
  const slow = path.run(1_000);
  assertAtLeast(slow.rate, 0.95 * MBIT_100 / 4, "rate after the fall");
  assertBelow(median(slow.probes), 60, "a probe's round trip after the fall");
  path.shape.rate = MBIT_100;
  path.run(3_000);
  const fast = path.run(1_000);
  assertAtLeast(fast.rate, 0.95 * MBIT_100, "rate after the rise");
  assertBelow(median(fast.probes), 35, "a probe's round trip after the rise");
});

Deno.test("path estimator measures the round trip again when the path has become longer", () => {
  const { path, estimator } = simulate({ rate: MBIT_100, delay: 10 });
  path.offer(Infinity);
  path.run(3_000);
  path.shape.delay = 40;
  // The old round trip is used for 10 s.
  path.run(14_000);
  assertAtLeast(estimator.roundTrip!, 80, "round trip");
  const { rate, probes } = path.run(2_000);
  assertAtLeast(rate, 0.95 * MBIT_100, "rate");
  assertBelow(median(probes), 110, "a probe's round trip");
});

Deno.test("path estimator uses a shorter round trip at once", () => {
  const { path, estimator } = simulate({ rate: MBIT_100, delay: 40 });
  path.offer(Infinity);
  path.run(3_000);
  path.shape.delay = 10;
  path.run(3_000);
  assertBelow(estimator.roundTrip!, 45, "round trip");
});

Deno.test("path estimator keeps its window while an application has little to send", () => {
  const idle = simulate({ rate: MBIT_100, delay: 10 });
  idle.path.offer(20_000_000);
  idle.path.run(2_000);
  assert.equal(idle.estimator.inFlight, 0, "the bulk is over");
  for (let i = 0; i < 100; i++) {
    idle.path.offer(3_000);
    idle.path.run(50);
  }
  assertAtLeast(idle.estimator.window, 0.9 * MBIT_100 * 20, "window after the pause");
  idle.path.offer(Infinity);
  assertAtLeast(idle.path.run(500).rate, 0.9 * MBIT_100, "rate right after the pause");
});

Deno.test("path estimator keeps the window within its bounds on any path", () => {
  for (const shape of [{ rate: 5, delay: 1 }, { rate: 1_000_000, delay: 200 }]) {
    const { path, estimator } = simulate(shape);
    path.offer(Infinity);
    for (let i = 0; i < 10; i++) {
      path.run(100);
      assertAtLeast(estimator.window, 65_536, "window");
      assertBelow(estimator.window, 33_554_433, "window");
    }
  }
});

Deno.test("path estimator keeps the queue of a slow link as small as that of a fast one", () => {
  const { path } = simulate({ rate: MBIT_100 / 10, delay: 10 });
  path.offer(Infinity);
  path.run(2_000);
  const { rate, probes } = path.run(10_000);
  assertAtLeast(rate, 0.95 * MBIT_100 / 10, "rate");
  const median = probes[probes.length >> 1]!;
  assert.ok(median < 40, `a probe sees ${median} ms on a path of 20 ms`);
});

Deno.test("path estimator fills a path that has become longer within seconds", () => {
  const { path } = simulate({ rate: MBIT_100, delay: 10 });
  path.offer(Infinity);
  path.run(5_000);
  path.shape.delay = 40;
  path.run(3_000);
  assertAtLeast(path.run(2_000).rate, 0.95 * MBIT_100, "rate after three seconds");
});

/** The window after a second at 10 MB/s and 40 ms, whose acknowledgements are late or held up in the second half. */
function windowAfter(lateBy: (ms: number) => number): number {
  const clock = new ManualClock();
  const estimator = new PathEstimator(clock);
  const flights: { end: number; at: number }[] = [];
  for (let ms = 0; ms < 1_000; ms++) {
    estimator.sent(10_000, false);
    const at = ms + 40 + (ms < 500 ? 0 : lateBy(ms));
    // In order: nothing overtakes what is held up.
    flights.push({ end: (ms + 1) * 10_000, at: Math.max(at, flights.at(-1)?.at ?? 0) });
    while (flights.length > 0 && flights[0]!.at <= ms) estimator.acknowledged(flights.shift()!.end);
    clock.advance(1);
  }
  return estimator.window;
}

Deno.test("path estimator allows more while lost packets hold up others, not because of a queue", () => {
  const smooth = windowAfter(() => 0);
  const queued = windowAfter((ms) => Math.min(40, (ms - 500) / 5));
  // One packet in a hundred milliseconds is sent again after 40 ms, and all others behind it wait.
  const heldUp = windowAfter((ms) => ms % 100 === 0 ? 40 : 0);
  assertBelow(queued, 1.3 * smooth, "window with a queue");
  assertAtLeast(heldUp, 1.6 * smooth, "window with losses");
});
