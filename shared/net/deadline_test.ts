import assert from "node:assert/strict";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { promiseWithDeadline, withDeadline } from "./deadline.ts";

const doing = "connect to example.org:443";

Deno.test("deadline passes on a result, keeps the resource, and leaves no timer", async () => {
  const clock = new ManualClock();
  let released = 0;
  const result = await promiseWithDeadline<string>({ doing, timeoutMs: 500, clock }, (resolve, reject) => {
    resolve("connected");
    reject(new Error("a later error changes nothing"));
    return () => released++;
  });
  clock.advance(1_000);
  assert.deepEqual([result, released, clock.timers], ["connected", 0, 0]);
});

Deno.test("deadline rejects at its time, and releases once", async () => {
  const clock = new ManualClock();
  let released = 0;
  let fail: (reason: unknown) => void = () => {};
  const late = promiseWithDeadline({ doing, timeoutMs: 500, clock }, (_, reject) => {
    fail = reject;
    return () => released++;
  });
  clock.advance(499);
  assert.equal(released, 0);
  clock.advance(1);
  fail(new Error("closed, because it was released"));
  const message = "Cannot connect to example.org:443: no answer within 500 ms";
  await assert.rejects(late, { code: "target_timeout", message });
  assert.deepEqual([released, clock.timers], [1, 0]);
});

Deno.test("deadline rejects when its signal aborts, and leaves no listener on it", async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const listeners = countListeners(abort.signal);
  let released = 0;
  const options = { doing, timeoutMs: 500, clock, signal: abort.signal };
  await withDeadline(options, () => 1);
  assert.equal(listeners(), 0);
  const ended = promiseWithDeadline(options, () => () => released++);
  assert.equal(listeners(), 1);
  abort.abort();
  const message = "Cannot connect to example.org:443: it is no longer needed";
  await assert.rejects(ended, { code: "cancelled", message });
  assert.deepEqual([released, listeners(), clock.timers], [1, 0, 0]);
});

Deno.test("deadline does not begin when its signal has already aborted", async () => {
  const clock = new ManualClock();
  let begun = 0;
  const options = { doing, timeoutMs: 500, clock, signal: AbortSignal.abort() };
  await assert.rejects(withDeadline(options, () => begun++), { code: "cancelled" });
  assert.deepEqual([begun, clock.timers], [0, 0]);
});

Deno.test("deadline releases what failed or threw at once", async () => {
  const clock = new ManualClock();
  let released = 0;
  const failed = promiseWithDeadline({ doing, timeoutMs: 500, clock }, (_, reject) => {
    reject(new Error("refused"));
    return () => released++;
  });
  await assert.rejects(failed, /^Error: refused$/);
  const threw = promiseWithDeadline({ doing, timeoutMs: 500, clock }, () => {
    throw new Error("invalid port");
  });
  await assert.rejects(threw, /^Error: invalid port$/);
  assert.deepEqual([released, clock.timers], [1, 0]);
});

Deno.test("deadline may be absent, and errors may be the caller's", async () => {
  const clock = new ManualClock();
  const waiting = Promise.withResolvers<string>();
  const unlimited = withDeadline({ doing, clock }, () => waiting.promise);
  clock.advance(1e9);
  waiting.resolve("in the end");
  assert.equal(await unlimited, "in the end");
  const abort = new AbortController();
  const errors = { late: () => new Error("late"), cancelled: () => new Error("stopped") };
  const options = { doing, timeoutMs: 500, clock, signal: abort.signal, ...errors };
  const late = withDeadline(options, () => waiting.promise.then(() => new Promise(() => {})));
  clock.advance(500);
  await assert.rejects(late, /^Error: late$/);
  const stopped = withDeadline(options, () => new Promise(() => {}));
  abort.abort();
  await assert.rejects(stopped, /^Error: stopped$/);
});

Deno.test("deadline aborts the signal of its task only when the wait ends without a result", async () => {
  const clock = new ManualClock();
  const signals: AbortSignal[] = [];
  const keep = (signal: AbortSignal) => void signals.push(signal);
  await withDeadline({ doing, timeoutMs: 500, clock }, keep);
  const late = withDeadline({ doing, timeoutMs: 500, clock }, (signal) => {
    keep(signal);
    return Promise.reject(new Error("refused"));
  });
  await assert.rejects(late, /^Error: refused$/);
  const hanging = withDeadline({ doing, timeoutMs: 500, clock }, (signal) => {
    keep(signal);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("dropped"))));
  });
  clock.advance(500);
  await assert.rejects(hanging, { code: "target_timeout" });
  assert.deepEqual(signals.map(({ aborted }) => aborted), [false, true, true]);
});

/** Counts the listeners for `abort`. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args));
  return () => count;
}
