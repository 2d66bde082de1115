import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { LineWriter } from "./line_writer.ts";

/** A writer whose file takes at most `most` bytes at once. */
function scene(most = Infinity) {
  const clock = new ManualClock();
  const writes: string[] = [];
  const writer = new LineWriter(clock, (bytes) => {
    const taken = bytes.subarray(0, Math.min(most, bytes.byteLength));
    writes.push(new TextDecoder().decode(taken));
    return taken.byteLength;
  }, (error) => assert.fail(String(error)));
  return { clock, writes, writer };
}

Deno.test("line writer buffers lines for 50 ms", () => {
  const { clock, writes, writer } = scene();
  writer.add("one");
  writer.add("two");
  clock.advance(49);
  assert.deepEqual(writes, []);
  clock.advance(1);
  assert.deepEqual(writes, ["one\ntwo\n"]);
  writer.add("three");
  clock.advance(50);
  assert.deepEqual(writes, ["one\ntwo\n", "three\n"]);
});

Deno.test("line writer flushes at once and leaves no timer", () => {
  const { clock, writes, writer } = scene();
  writer.add("last");
  writer.flush();
  writer.flush();
  assert.deepEqual(writes, ["last\n"]);
  assert.equal(clock.timers, 0);
});

Deno.test("line writer finishes a line that is written in pieces", () => {
  const { writes, writer } = scene(4);
  writer.add("long line");
  writer.flush();
  assert.equal(writes.join(""), "long line\n");
});

Deno.test("line writer continues when the reader is gone, and reports it once", () => {
  const failures: unknown[] = [];
  const gone = () => {
    throw new Deno.errors.BrokenPipe();
  };
  const writer = new LineWriter(new ManualClock(), gone, (error) => failures.push(error));
  for (const line of ["one", "two"]) {
    writer.add(line);
    writer.flush();
  }
  assert.equal(failures.length, 1);
});

Deno.test("line writer buffers no more than 64 Ki characters", () => {
  const { clock, writes, writer } = scene();
  const line = "x".repeat(999);
  for (let i = 0; i < 66; i++) writer.add(line);
  assert.deepEqual(writes.map(({ length }) => length), [66_000]);
  assert.equal(clock.timers, 0);
});
