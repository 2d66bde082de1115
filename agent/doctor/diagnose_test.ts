import assert from "node:assert/strict";
import { diagnose } from "./diagnose.ts";
import { fail, type Finding, pass, skip, type Step } from "./step.ts";
import type { Diagnosis } from "./diagnosis.ts";

function step(name: string, finding: Finding | Error, rest: Partial<Step> = {}): Step {
  const run = () => finding instanceof Error ? Promise.reject(finding) : Promise.resolve(finding);
  return { name, needs: [], run, ...rest };
}

async function report(...steps: Step[]) {
  const seen: string[] = [];
  const result = await diagnose(
    steps,
    { controlProblem: "network" } as Diagnosis,
    ({ name }) => seen.push(name),
  );
  assert.deepEqual(seen, steps.map(({ name }) => name));
  const shown = result.steps.map(({ name, finding, causedBy }) =>
    `${name} ${finding.result}${causedBy === undefined ? "" : ` caused by ${causedBy}`}`
  );
  return { ...result, shown };
}

Deno.test("the first step with a problem explains the steps that need it, directly or through others", async () => {
  const { shown, cause, exitCode } = await report(
    step("a", fail("refused", "no")),
    step("b", pass("never"), { needs: ["a"] }),
    step("c", pass("never"), { needs: ["b"] }),
    step("d", pass("independent")),
  );
  assert.deepEqual(shown, ["a fail", "b skipped caused by a", "c skipped caused by a", "d pass"]);
  assert.deepEqual([cause, exitCode], [{ step: "a", problem: "refused" }, 50]);
});

Deno.test("a skipped step does not block others", async () => {
  const { shown, cause, exitCode } = await report(
    step("a", skip("none")),
    step("b", pass("ok"), { needs: ["a"] }),
  );
  assert.deepEqual(shown, ["a skipped", "b pass"]);
  assert.deepEqual([cause, exitCode], [undefined, 0]);
});

Deno.test("the first of two problems is the cause", async () => {
  const { cause } = await report(step("a", fail("ports", "")), step("b", fail("page", "")));
  assert.deepEqual(cause, { step: "a", problem: "ports" });
});

Deno.test("an advisory step is the cause only of what it explains", async () => {
  const a = step("control", fail("network", ""), { isAdvisory: true });
  assert.deepEqual((await report(a, step("b", fail("silent", "")))).cause, {
    step: "control",
    problem: "network",
  });
  assert.deepEqual((await report(a, step("b", fail("page", "")))).cause, { step: "b", problem: "page" });
});

Deno.test("an advisory step alone is not the cause", async () => {
  const { exitCode, shown } = await report(step("control", fail("network", ""), { isAdvisory: true }));
  assert.deepEqual([exitCode, shown], [0, ["control fail"]]);
});

Deno.test("a step that throws fails as internal, and the others run", async () => {
  const { steps, cause, shown } = await report(step("a", new Error("a bug")), step("b", pass("")));
  assert.deepEqual(shown, ["a fail", "b pass"]);
  assert.deepEqual(cause, { step: "a", problem: "internal" });
  assert.equal(steps[0]?.finding.detail, "a bug");
});
