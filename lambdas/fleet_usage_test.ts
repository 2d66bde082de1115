import assert from "node:assert/strict";
import { clientNumber } from "../shared/cloud/metric_names.ts";
import type { AgentReport } from "./aws/activity.ts";
import { checkUsage, type UsageDecision } from "./fleet_usage.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const DELAY = 120_000;
const MAX_AGE = 75_000;
const ME = clientNumber("AA:BB:CC:DD:EE:FF:01:02");
const OTHER = clientNumber("AA:BB:CC:DD:EE:FE:01:02");

/** A report from `ago` seconds ago. */
function report(ago: number, agents: number, onlyClient?: number): AgentReport {
  return { at: NOW - ago * 1000, agents, onlyClient };
}

interface Row {
  readonly what: string;
  readonly desired?: number;
  readonly running?: number;
  /** Seconds since the newest server started. */
  readonly age?: number | undefined;
  readonly reports: readonly AgentReport[] | "unread";
  readonly expected: "stop" | "in_use" | "unavailable";
  readonly reason: RegExp;
}

const ROWS: readonly Row[] = [
  {
    what: "only the caller is connected",
    reports: [report(30, 1, ME)],
    expected: "stop",
    reason: /only the/,
  },
  { what: "no agent is connected", reports: [report(30, 0)], expected: "stop", reason: /no agent/ },
  {
    what: "one agent is connected, which is not the caller",
    reports: [report(30, 1, OTHER)],
    expected: "in_use",
    reason: /1 agent is connected, which is not the caller/,
  },
  {
    what: "one unknown agent is connected",
    reports: [report(30, 1)],
    expected: "in_use",
    reason: /not the caller/,
  },
  {
    what: "two agents share the caller's certificate",
    reports: [report(30, 2, ME)],
    expected: "in_use",
    reason: /2 agents are connected/,
  },
  {
    what: "another agent just connected",
    reports: [report(60, 1, ME), report(2, 2)],
    expected: "in_use",
    reason: /2 agents/,
  },
  {
    what: "another agent has disconnected since",
    reports: [report(2, 1, ME), report(60, 2)],
    expected: "stop",
    reason: /only the caller/,
  },
  {
    what: "the newest report is too old",
    reports: [report(76, 0)],
    expected: "unavailable",
    reason: /newest report is 76 s old/,
  },
  { what: "nothing was reported", reports: [], expected: "unavailable", reason: /reported nothing/ },
  {
    what: "only a server before this one reported",
    age: 30,
    reports: [report(40, 1, ME)],
    expected: "unavailable",
    reason: /reported nothing/,
  },
  {
    what: "a server was just woken, and its agent has not connected yet",
    age: 30,
    reports: [report(10, 0)],
    expected: "in_use",
    reason: /only 30 s old/,
  },
  {
    what: "a server was just woken, and only the caller has connected so far",
    age: 119,
    reports: [report(10, 1, ME)],
    expected: "in_use",
    reason: /only 119 s old/,
  },
  {
    what: "only the caller is connected to a server that is old enough",
    age: 120,
    reports: [report(10, 1, ME)],
    expected: "stop",
    reason: /only the caller/,
  },
  {
    what: "another agent is on another server",
    desired: 2,
    reports: [report(2, 1, ME), report(50, 1, OTHER)],
    expected: "in_use",
    reason: /not the caller/,
  },
  {
    what: "another agent is on a server that is being replaced",
    running: 2,
    reports: [report(2, 1, ME), report(50, 1, OTHER)],
    expected: "in_use",
    reason: /not the caller/,
  },
  {
    what: "the caller alone is on both servers",
    desired: 2,
    reports: [report(2, 1, ME), report(50, 1, ME)],
    expected: "stop",
    reason: /only the caller/,
  },
  {
    what: "the second server is too new to have reported",
    desired: 2,
    age: 30,
    reports: [report(2, 1, ME)],
    expected: "in_use",
    reason: /30 s old/,
  },
  { what: "no server is desired", desired: 0, reports: "unread", expected: "stop", reason: /no server/ },
  {
    what: "ECS does not say when it started",
    age: undefined,
    reports: "unread",
    expected: "unavailable",
    reason: /unknown/,
  },
];

const resultOf = (decision: UsageDecision) => decision.stop ? "stop" : decision.code;

for (const row of ROWS) {
  const { what, desired = 1, running = desired, reports, expected, reason } = row;
  Deno.test(`Kill ${expected === "stop" ? "stops" : "leaves"} servers when ${what}`, async () => {
    const age = "age" in row ? row.age : 3_600;
    const newestStart = age === undefined ? undefined : new Date(NOW - age * 1000);
    const found = await checkUsage({
      fleet: { desired, running, newestStart },
      now: NOW,
      delay: DELAY,
      maxAge: MAX_AGE,
      caller: ME,
      readReports() {
        if (reports === "unread") assert.fail("metrics were read");
        return Promise.resolve(reports);
      },
    });
    assert.equal(resultOf(found), expected, found.reason);
    assert.match(found.reason, reason);
  });
}

Deno.test("Kill fails when metrics cannot be read", async () => {
  const fleet = { desired: 1, running: 1, newestStart: new Date(0) };
  const readReports = () => Promise.reject(new Error("no answer"));
  await assert.rejects(
    checkUsage({ fleet, now: NOW, delay: DELAY, maxAge: MAX_AGE, caller: ME, readReports }),
    /no answer/,
  );
});
