import assert from "node:assert/strict";
import type { Activity } from "./aws/activity.ts";
import { checkIdleness } from "./idleness.ts";

const MINUTE = 60_000;
const NOW = Date.parse("2026-01-01T12:00:00Z");
const quiet: Activity = { reports: 15, userBytes: 0, openStreams: 0 };

interface Row {
  readonly what: string;
  readonly desired?: number;
  /** Minutes since the newest server started. */
  readonly age?: number | undefined;
  readonly activity: Activity | "unread";
  readonly stop: boolean;
  readonly reason: RegExp;
}

const ROWS: readonly Row[] = [
  { what: "nothing was transferred", activity: quiet, stop: true, reason: /no stream was open and no byte/ },
  {
    what: "a byte was transferred",
    activity: { ...quiet, userBytes: 1 },
    stop: false,
    reason: /1 byte was transferred/,
  },
  {
    what: "a stream is open and silent",
    activity: { ...quiet, openStreams: 1 },
    stop: false,
    reason: /1 stream was open/,
  },
  {
    what: "nothing was reported",
    activity: { ...quiet, reports: 0 },
    stop: true,
    reason: /reported anything/,
  },
  { what: "a server is new", age: 14, activity: "unread", stop: false, reason: /840 s old/ },
  { what: "a server is just old enough", age: 15, activity: quiet, stop: true, reason: /no stream/ },
  { what: "a new server reports nothing yet", age: 1, activity: "unread", stop: false, reason: /60 s old/ },
  {
    what: "no server is desired",
    desired: 0,
    activity: "unread",
    stop: false,
    reason: /no server is desired/,
  },
  { what: "its age is unknown", age: undefined, activity: quiet, stop: true, reason: /no stream/ },
];

for (const row of ROWS) {
  const { what, desired = 1, activity, stop, reason } = row;
  Deno.test(`Sleep ${stop ? "stops" : "leaves"} servers when ${what}`, async () => {
    const age = "age" in row ? row.age : 60;
    const newestStart = age === undefined ? undefined : new Date(NOW - age * MINUTE);
    const read = () => {
      if (activity === "unread") assert.fail("metrics were read");
      return Promise.resolve(activity);
    };
    const decision = await checkIdleness({ desired, running: desired, newestStart }, NOW, 15 * MINUTE, read);
    assert.equal(decision.stop, stop, decision.reason);
    assert.match(decision.reason, reason);
  });
}

Deno.test("Sleep fails when metrics cannot be read", async () => {
  const age = { desired: 1, running: 1, newestStart: new Date(NOW - 60 * MINUTE) };
  const read = () => Promise.reject(new Error("no answer"));
  await assert.rejects(checkIdleness(age, NOW, 15 * MINUTE, read), /no answer/);
});
