import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { SallyportError } from "../../errors.ts";
import { Keepalive } from "./keepalive.ts";

const stopped = new SallyportError("going_away", "stopped");

function keepalive() {
  const clock = new ManualClock();
  const events: string[] = [];
  const record = (what: string) => events.push(`${clock.now()} ${what}`);
  const subject = new Keepalive({
    clock,
    interval: 5_000,
    timeout: 4_000,
    ping: () => record("ping"),
    dead: (silence) => record(`dead after ${silence}`),
  });
  subject.start();
  return { clock, events, subject };
}

Deno.test("keepalive pings after 5 s of silence and gives up 4 s later (SPEC 3.2)", () => {
  const { clock, events } = keepalive();
  clock.advance(4_999);
  assert.deepEqual(events, []);
  clock.advance(1);
  assert.deepEqual(events, ["5000 ping"]);
  clock.advance(3_999);
  assert.deepEqual(events, ["5000 ping"]);
  clock.advance(60_000);
  assert.deepEqual(events, ["5000 ping", "9000 dead after 9000"]);
  assert.equal(clock.timers, 0);
});

Deno.test("keepalive continues when anything arrives (SPEC 3.2)", () => {
  const { clock, events, subject } = keepalive();
  clock.advance(5_000);
  clock.advance(3_900);
  subject.heard();
  clock.advance(4_900);
  assert.deepEqual(events, ["5000 ping"]);
  clock.advance(1_200);
  assert.equal(events.length, 2);
  assert.match(events[1]!, /^(13900|14000) ping$/);
  subject.stop(stopped);
});

Deno.test("keepalive does not ping a peer that sends", () => {
  const { clock, events, subject } = keepalive();
  for (let i = 0; i < 60; i++) {
    clock.advance(1_000);
    subject.heard();
  }
  assert.deepEqual(events, []);
  subject.stop(stopped);
});

Deno.test("keepalive pings once per silence", () => {
  const { clock, events, subject } = keepalive();
  clock.advance(8_900);
  assert.deepEqual(events, ["5000 ping"]);
  subject.stop(stopped);
});

Deno.test("keepalive pings at once when the wall clock shows that the machine slept (SPEC 3.2)", () => {
  const { clock, events, subject } = keepalive();
  clock.advance(500);
  subject.heard();
  clock.jumpWall(3_600_000);
  clock.advance(1_000);
  assert.deepEqual(events, ["1000 ping"]);
  clock.advance(4_000);
  assert.equal(events.length, 2);
  assert.match(events[1]!, /dead/);
  subject.stop(stopped);
});

Deno.test("keepalive pings again after a sleep when a ping was in flight", () => {
  const { clock, events, subject } = keepalive();
  clock.advance(5_000);
  clock.advance(3_500);
  clock.jumpWall(3_600_000);
  clock.advance(600);
  assert.deepEqual(events, ["5000 ping", "9000 ping"]);
  clock.advance(4_000);
  assert.equal(events.length, 3);
  assert.match(events[2]!, /^13000 dead/);
  subject.stop(stopped);
});

Deno.test("keepalive ignores a wall clock that is set back", () => {
  const { clock, events, subject } = keepalive();
  clock.jumpWall(-3_600_000);
  clock.advance(4_000);
  assert.deepEqual(events, []);
  clock.advance(1_000);
  assert.deepEqual(events, ["5000 ping"]);
  subject.stop(stopped);
});

Deno.test("keepalive that was stopped leaves no timer", () => {
  const { clock, events, subject } = keepalive();
  subject.stop(stopped);
  clock.advance(60_000);
  assert.deepEqual(events, []);
  assert.equal(clock.timers, 0);
});

Deno.test("keepalive that is stopped because the machine slept does nothing more", () => {
  const clock = new ManualClock();
  const subject: Keepalive = new Keepalive({
    clock,
    interval: 5_000,
    timeout: 4_000,
    ping: () => assert.fail("the link has ended"),
    slept: () => subject.stop(stopped),
    dead: () => assert.fail("the link has ended"),
  });
  subject.start();
  clock.jumpWall(3_600_000);
  clock.advance(60_000);
  assert.equal(clock.timers, 0);
});
