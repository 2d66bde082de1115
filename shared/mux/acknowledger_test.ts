import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { Acknowledger } from "./acknowledger.ts";

function acknowledger() {
  const clock = new ManualClock();
  const sent: number[] = [];
  return { clock, sent, acks: new Acknowledger(clock, (total) => sent.push(total)) };
}

Deno.test("acknowledger tells 65,536 bytes at once (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(65_535);
  acks.settle();
  assert.deepEqual(sent, []);
  acks.count(1);
  acks.settle();
  assert.deepEqual(sent, [65_536]);
  clock.advance(100);
  assert.deepEqual(sent, [65_536]);
  assert.equal(clock.timers, 0);
});

Deno.test("acknowledger tells fewer bytes 2 ms after the first of them (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(1);
  acks.settle();
  clock.advance(1.5);
  acks.count(10);
  acks.settle();
  assert.deepEqual(sent, []);
  clock.advance(0.5);
  assert.deepEqual(sent, [11]);
  clock.advance(100);
  assert.deepEqual(sent, [11]);
});

Deno.test("acknowledger gives the total since the beginning (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  for (let i = 0; i < 3; i++) {
    acks.count(70_000);
    acks.settle();
  }
  acks.count(5);
  acks.settle();
  clock.advance(2);
  assert.deepEqual(sent, [70_000, 140_000, 210_000, 210_005]);
});

Deno.test("acknowledger says nothing about nothing", () => {
  const { clock, sent, acks } = acknowledger();
  acks.settle();
  acks.flush();
  clock.advance(100);
  assert.deepEqual(sent, []);
  assert.equal(clock.timers, 0);
});

Deno.test("acknowledger can be asked to tell now", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(7);
  acks.settle();
  acks.flush();
  assert.deepEqual(sent, [7]);
  clock.advance(100);
  assert.deepEqual(sent, [7]);
  assert.equal(clock.timers, 0);
});

Deno.test("acknowledger waits 2 ms anew for what came after it told (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(7);
  acks.settle();
  clock.advance(1);
  assert.equal(acks.open, 7);
  assert.equal(acks.take(), 7);
  assert.equal(acks.open, 0);
  acks.count(3);
  acks.settle();
  clock.advance(1.5);
  assert.deepEqual(sent, []);
  clock.advance(0.5);
  assert.deepEqual(sent, [10]);
  clock.advance(100);
  assert.deepEqual(sent, [10]);
  assert.equal(clock.timers, 0);
});

Deno.test("acknowledger that was stopped sends nothing more and starts no timer", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(7);
  acks.settle();
  acks.stop();
  acks.count(20_000);
  acks.settle();
  acks.flush();
  acks.count(5);
  acks.settle();
  assert.equal(clock.timers, 0);
  clock.advance(10);
  assert.deepEqual(sent, []);
});

Deno.test("acknowledger rides with a write when much is open or some is old", () => {
  const { clock, sent, acks } = acknowledger();
  acks.ride();
  acks.count(4_095);
  acks.ride();
  assert.deepEqual(sent, []);
  acks.count(1);
  acks.ride();
  assert.deepEqual(sent, [4_096]);
  acks.count(1);
  clock.advance(0.9);
  acks.ride();
  assert.deepEqual(sent, [4_096]);
  clock.advance(0.1);
  acks.ride();
  assert.deepEqual(sent, [4_096, 4_097]);
});
