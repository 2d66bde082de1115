import assert from "node:assert/strict";
import { DEFAULT_SESSION_OPTIONS, type SessionOptions, sessionOptions } from "./options.ts";

Deno.test("options default to DEFAULT_SESSION_OPTIONS", () => {
  assert.deepEqual(sessionOptions(), DEFAULT_SESSION_OPTIONS);
  assert.deepEqual(sessionOptions({ maxStreams: 3 }), { ...DEFAULT_SESSION_OPTIONS, maxStreams: 3 });
});

Deno.test("options have the times and limits of SPEC 3.1, 3.2 and 5.1", () => {
  const { helloTimeout, keepaliveInterval, keepaliveTimeout, maxWindow } = DEFAULT_SESSION_OPTIONS;
  assert.deepEqual([helloTimeout, keepaliveInterval, keepaliveTimeout], [10_000, 5_000, 4_000]);
  assert.equal(maxWindow, 16_777_216);
});

Deno.test("options out of range are refused by name", () => {
  const bad: [Partial<SessionOptions>, string][] = [
    [{ initialWindow: 0 }, "initialWindow: 0 is not in 1..16777216"],
    [{ initialWindow: 16_777_217 }, "initialWindow: 16777217 is not in 1..16777216"],
    [{ initialWindow: 500, maxWindow: 499 }, "maxWindow: 499 is not in 500..16777216"],
    [{ maxWindow: 16_777_217 }, "maxWindow: 16777217 is not in 262144..16777216"],
    [{ maxStreams: -1 }, "maxStreams: -1 is not in 0..1000000"],
    [{ maxStreams: 1.5 }, "maxStreams: 1.5 is not in 0..1000000"],
    [{ queueHighMark: 0 }, "queueHighMark: 0 is not in 1..1073741824"],
    [{ queueHighMark: 10, queueLowMark: 11 }, "queueLowMark: 11 is not in 0..10"],
    [{ helloTimeout: 0 }, "helloTimeout: 0 is not in 1..1073741824"],
    [{ keepaliveInterval: NaN }, "keepaliveInterval: NaN is not in 1..1073741824"],
    [{ keepaliveTimeout: 0 }, "keepaliveTimeout: 0 is not in 1..1073741824"],
  ];
  for (const [given, message] of bad) {
    const expected = { code: "internal", message: `Cannot use option ${message}` };
    assert.throws(() => sessionOptions(given), expected);
  }
});
