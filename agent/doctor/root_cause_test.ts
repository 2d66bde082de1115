import assert from "node:assert/strict";
import { type RootCauseContext, rootCauseOf } from "./root_cause.ts";
import { fail } from "./step.ts";
import type { ProblemName } from "./problems.ts";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const HOUR = 3_600_000;

function cause(problem: ProblemName, found: RootCauseContext, validity?: [from: number, until: number]) {
  const dates = validity && { from: new Date(NOW + validity[0]), until: new Date(NOW + validity[1]) };
  return rootCauseOf(fail(problem, "", dates), found, NOW);
}

const NONE = { clockAheadMs: undefined, controlProblem: undefined, proxyProblem: undefined };
const NETWORK = { ...NONE, controlProblem: "network" } as const;
const PORTAL = { ...NONE, controlProblem: "captive_portal" } as const;
const ROWS: [ProblemName, RootCauseContext, "control" | undefined][] = [
  ["silent", NETWORK, "control"],
  ["dns", NETWORK, "control"],
  ["wake_unreachable", NETWORK, "control"],
  // Something answered.
  ["refused", NETWORK, undefined],
  ["reset", NETWORK, undefined],
  ["wake", NETWORK, undefined],
  ["page", NETWORK, undefined],
  ["silent", PORTAL, "control"],
  ["interception", PORTAL, "control"],
  ["refused", PORTAL, "control"],
  ["ports", PORTAL, undefined],
];
for (const [problem, found, expected] of ROWS) {
  Deno.test(`${problem} is ${expected ? "" : "not "}caused by ${found.controlProblem}`, () => {
    assert.equal(cause(problem, found), expected);
  });
}

Deno.test("a wrong clock explains only dates that are valid at the actual time", () => {
  const ahead = { ...NONE, clockAheadMs: 2 * HOUR };
  assert.equal(cause("server_dates", ahead, [-10 * HOUR, -HOUR]), "clock");
  assert.equal(cause("server_dates", ahead, [-10 * HOUR, -3 * HOUR]), undefined);
  const behind = { ...NONE, clockAheadMs: -2 * HOUR };
  assert.equal(cause("certificate_dates", behind, [HOUR, 10 * HOUR]), "clock");
  const right = { ...NONE, clockAheadMs: 0 };
  assert.equal(cause("certificate_dates", right, [HOUR, 10 * HOUR]), undefined);
});

Deno.test("a wrong clock explains a refused signature if it is off by more than a call's lifetime", () => {
  assert.equal(cause("wake_refused", { ...NONE, clockAheadMs: -61_000 }), "clock");
  assert.equal(cause("wake_refused", { ...NONE, clockAheadMs: 40_000 }), undefined);
  assert.equal(cause("silent", { ...NONE, clockAheadMs: 100 * HOUR }), undefined);
});

Deno.test("a proxy problem explains a control site that cannot be reached", () => {
  const found = { ...NETWORK, proxyProblem: "proxy_refusal" } as const;
  assert.equal(cause("network", found), "proxy");
  assert.equal(cause("network", NETWORK), undefined);
});
