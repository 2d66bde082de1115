import assert from "node:assert/strict";
import { examine } from "./examine.ts";
import { fail, type Finding, pass, skip } from "./finding.ts";
import type { Found } from "./found.ts";
import type { Step } from "./step.ts";

function step(name: string, finding: Finding | Error, rest: Partial<Step> = {}): Step {
  const look = () => finding instanceof Error ? Promise.reject(finding) : Promise.resolve(finding);
  return { name, needs: [], look, ...rest };
}

async function outcome(...steps: Step[]) {
  const heard: string[] = [];
  const report = await examine(steps, { controlProblem: "network" } as Found, ({ name }) => heard.push(name));
  assert.deepEqual(heard, steps.map(({ name }) => name));
  const shown = report.steps.map(({ name, finding, because }) =>
    `${name} ${finding.outcome}${because === undefined ? "" : ` because ${because}`}`
  );
  return { ...report, shown };
}

Deno.test("the first step that fails explains those that need it, also by way of others", async () => {
  const { shown, cause, exitCode } = await outcome(
    step("a", fail("refused", "no")),
    step("b", pass("never"), { needs: ["a"] }),
    step("c", pass("never"), { needs: ["b"] }),
    step("d", pass("it needs nothing")),
  );
  assert.deepEqual(shown, ["a fail", "b skipped because a", "c skipped because a", "d pass"]);
  assert.deepEqual([cause, exitCode], [{ step: "a", problem: "refused" }, 50]);
});

Deno.test("what there is no need to look at stands in nobody's way", async () => {
  const { shown, cause, exitCode } = await outcome(
    step("a", skip("none")),
    step("b", pass("ok"), { needs: ["a"] }),
  );
  assert.deepEqual(shown, ["a skipped", "b pass"]);
  assert.deepEqual([cause, exitCode], [undefined, 0]);
});

Deno.test("of two failures the first stands in the way", async () => {
  const { cause } = await outcome(step("a", fail("ports", "")), step("b", fail("page", "")));
  assert.deepEqual(cause, { step: "a", problem: "ports" });
});

Deno.test("a step that is only advisory is the cause of what it explains, and of nothing else", async () => {
  const a = step("control", fail("network", ""), { isAdvisory: true });
  assert.deepEqual((await outcome(a, step("b", fail("silent", "")))).cause, {
    step: "control",
    problem: "network",
  });
  assert.deepEqual((await outcome(a, step("b", fail("page", "")))).cause, { step: "b", problem: "page" });
});

Deno.test("a step that is only advisory stands in nobody's way by itself", async () => {
  const { exitCode, shown } = await outcome(step("control", fail("network", ""), { isAdvisory: true }));
  assert.deepEqual([exitCode, shown], [0, ["control fail"]]);
});

Deno.test("a step that throws has failed, and the others are taken", async () => {
  const { steps, cause, shown } = await outcome(step("a", new Error("a fault")), step("b", pass("")));
  assert.deepEqual(shown, ["a fail", "b pass"]);
  assert.deepEqual(cause, { step: "a", problem: "internal" });
  assert.equal(steps[0]?.finding.detail, "a fault");
});
