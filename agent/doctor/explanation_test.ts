import assert from "node:assert/strict";
import { type Circumstances, explanationOf } from "./explanation.ts";
import { fail } from "./finding.ts";
import type { ProblemName } from "./problems.ts";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const HOUR = 3_600_000;

function explained(problem: ProblemName, found: Circumstances, validity?: [from: number, until: number]) {
  const dates = validity && { from: new Date(NOW + validity[0]), until: new Date(NOW + validity[1]) };
  return explanationOf(fail(problem, "", dates), found, NOW);
}

const NONE = { clockAhead: undefined, controlProblem: undefined, proxyProblem: undefined };
const NETWORK = { ...NONE, controlProblem: "network" } as const;
const PORTAL = { ...NONE, controlProblem: "captive_portal" } as const;
const ROWS: [ProblemName, Circumstances, "control" | undefined][] = [
  ["silent", NETWORK, "control"],
  ["dns", NETWORK, "control"],
  ["wake_unreachable", NETWORK, "control"],
  // Somebody answered.
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
  Deno.test(`${problem} is ${expected ? "" : "not "}explained by ${found.controlProblem}`, () => {
    assert.equal(explained(problem, found), expected);
  });
}

Deno.test("a wrong clock explains dates that would be good by the right time, and no others", () => {
  const ahead = { ...NONE, clockAhead: 2 * HOUR };
  assert.equal(explained("server_dates", ahead, [-10 * HOUR, -HOUR]), "clock");
  assert.equal(explained("server_dates", ahead, [-10 * HOUR, -3 * HOUR]), undefined);
  const behind = { ...NONE, clockAhead: -2 * HOUR };
  assert.equal(explained("certificate_dates", behind, [HOUR, 10 * HOUR]), "clock");
  const right = { ...NONE, clockAhead: 0 };
  assert.equal(explained("certificate_dates", right, [HOUR, 10 * HOUR]), undefined);
});

Deno.test("a wrong clock explains a signature that was refused, once it is wrong by more than that is good for", () => {
  assert.equal(explained("wake_refused", { ...NONE, clockAhead: -61_000 }), "clock");
  assert.equal(explained("wake_refused", { ...NONE, clockAhead: 40_000 }), undefined);
  assert.equal(explained("silent", { ...NONE, clockAhead: 100 * HOUR }), undefined);
});

Deno.test("a proxy that is in trouble explains a control site that is not reached through it", () => {
  const found = { ...NETWORK, proxyProblem: "proxy_refusal" } as const;
  assert.equal(explained("network", found), "proxy");
  assert.equal(explained("network", NETWORK), undefined);
});
