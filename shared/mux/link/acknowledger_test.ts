import assert from "node:assert/strict";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { Acknowledger } from "./acknowledger.ts";

function acknowledger() {
  const clock = new ManualClock();
  const sent: number[] = [];
  return { clock, sent, acks: new Acknowledger(clock, (total) => sent.push(total)) };
}

Deno.test("acknowledger sends an ack of 65,536 bytes at once (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(65_535);
  acks.chunkProcessed();
  assert.deepEqual(sent, []);
  acks.count(1);
  acks.chunkProcessed();
  assert.deepEqual(sent, [65_536]);
  clock.advance(100);
  assert.deepEqual(sent, [65_536]);
  assert.equal(clock.timers, 0);
});

Deno.test("acknowledger sends an ack of fewer bytes 2 ms after the first of them (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(1);
  acks.chunkProcessed();
  clock.advance(1.5);
  acks.count(10);
  acks.chunkProcessed();
  assert.deepEqual(sent, []);
  clock.advance(0.5);
  assert.deepEqual(sent, [11]);
  clock.advance(100);
  assert.deepEqual(sent, [11]);
});

Deno.test("acknowledger sends the total of the whole connection (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  for (let i = 0; i < 3; i++) {
    acks.count(70_000);
    acks.chunkProcessed();
  }
  acks.count(5);
  acks.chunkProcessed();
  clock.advance(2);
  assert.deepEqual(sent, [70_000, 140_000, 210_000, 210_005]);
});

Deno.test("acknowledger sends nothing when nothing was read", () => {
  const { clock, sent, acks } = acknowledger();
  acks.chunkProcessed();
  acks.flush();
  clock.advance(100);
  assert.deepEqual(sent, []);
  assert.equal(clock.timers, 0);
});

Deno.test("acknowledger sends an ack now when flushed", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(7);
  acks.chunkProcessed();
  acks.flush();
  assert.deepEqual(sent, [7]);
  clock.advance(100);
  assert.deepEqual(sent, [7]);
  assert.equal(clock.timers, 0);
});

Deno.test("acknowledger waits 2 ms again for bytes that arrive after an ack (SPEC 5.2)", () => {
  const { clock, sent, acks } = acknowledger();
  acks.count(7);
  acks.chunkProcessed();
  clock.advance(1);
  assert.equal(acks.pending, 7);
  assert.equal(acks.take(), 7);
  assert.equal(acks.pending, 0);
  acks.count(3);
  acks.chunkProcessed();
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
  acks.chunkProcessed();
  acks.stop();
  acks.count(20_000);
  acks.chunkProcessed();
  acks.flush();
  acks.count(5);
  acks.chunkProcessed();
  assert.equal(clock.timers, 0);
  clock.advance(10);
  assert.deepEqual(sent, []);
});

Deno.test("acknowledger sends an ack with a write when many bytes are pending or one is old", () => {
  const { clock, sent, acks } = acknowledger();
  acks.piggyback();
  acks.count(4_095);
  acks.piggyback();
  assert.deepEqual(sent, []);
  acks.count(1);
  acks.piggyback();
  assert.deepEqual(sent, [4_096]);
  acks.count(1);
  clock.advance(0.9);
  acks.piggyback();
  assert.deepEqual(sent, [4_096]);
  clock.advance(0.1);
  acks.piggyback();
  assert.deepEqual(sent, [4_096, 4_097]);
});
