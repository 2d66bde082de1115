import assert from "node:assert/strict";
import type { Activity } from "./aws/activity.ts";
import { judgeIdleness } from "./idleness.ts";

const MINUTE = 60_000;
const NOW = Date.parse("2026-01-01T12:00:00Z");
const quiet: Activity = { reports: 15, userBytes: 0, openStreams: 0 };

interface Row {
  readonly what: string;
  readonly desired?: number;
  /** Minutes since the youngest server started. */
  readonly age?: number | undefined;
  readonly activity: Activity | "unread";
  readonly stop: boolean;
  readonly reason: RegExp;
}

const ROWS: readonly Row[] = [
  { what: "nothing was carried", activity: quiet, stop: true, reason: /no stream was open and no byte/ },
  {
    what: "a byte was carried",
    activity: { ...quiet, userBytes: 1 },
    stop: false,
    reason: /1 bytes were carried/,
  },
  {
    what: "a stream is open and silent",
    activity: { ...quiet, openStreams: 1 },
    stop: false,
    reason: /1 streams/,
  },
  {
    what: "nothing was reported",
    activity: { ...quiet, reports: 0 },
    stop: true,
    reason: /reported anything/,
  },
  { what: "a server is young", age: 14, activity: "unread", stop: false, reason: /840 s old/ },
  { what: "a server is just old enough", age: 15, activity: quiet, stop: true, reason: /no stream/ },
  { what: "a young server reports nothing yet", age: 1, activity: "unread", stop: false, reason: /60 s old/ },
  { what: "no server is wanted", desired: 0, activity: "unread", stop: false, reason: /no server is wanted/ },
  { what: "nobody knows its age", age: undefined, activity: quiet, stop: true, reason: /no stream/ },
];

for (const row of ROWS) {
  const { what, desired = 1, activity, stop, reason } = row;
  Deno.test(`Sleep ${stop ? "stops" : "leaves"} servers when ${what}`, async () => {
    const age = "age" in row ? row.age : 60;
    const youngest = age === undefined ? undefined : new Date(NOW - age * MINUTE);
    const read = () => {
      if (activity === "unread") assert.fail("metrics were read");
      return Promise.resolve(activity);
    };
    const verdict = await judgeIdleness({ desired, running: desired, youngest }, NOW, 15 * MINUTE, read);
    assert.equal(verdict.stop, stop, verdict.reason);
    assert.match(verdict.reason, reason);
  });
}

Deno.test("Sleep decides nothing when metrics cannot be read", async () => {
  const age = { desired: 1, running: 1, youngest: new Date(NOW - 60 * MINUTE) };
  const read = () => Promise.reject(new Error("no answer"));
  await assert.rejects(judgeIdleness(age, NOW, 15 * MINUTE, read), /no answer/);
});
