import { explain } from "../../shared/cli/terminal.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { type ProblemName, PROBLEMS } from "./problems.ts";
import { rootCauseOf } from "./root_cause.ts";
import { fail, type Finding, skip, type Step } from "./step.ts";

/** The report on one step. */
export interface StepReport {
  readonly name: string;
  readonly finding: Finding;
  /** Whether a problem here does not stop the tunnel. */
  readonly isAdvisory: boolean;
  /** The step whose problem caused this result. */
  readonly causedBy?: string;
}

/** The report on all steps. */
export interface Report {
  readonly steps: readonly StepReport[];
  /** The problem that stops the tunnel; undefined if there is none. */
  readonly cause: { readonly step: string; readonly problem: ProblemName } | undefined;
  /** 0, or the exit code of the problem. */
  readonly exitCode: number;
}

/**
 * Runs the steps in order. A step that needs one with a problem is skipped and names it, so the first problem explains
 * the later ones.
 *
 * @param onStep Called after each step.
 */
export async function diagnose(
  steps: readonly Step[],
  diagnosis: Diagnosis,
  onStep: (report: StepReport) => void = () => {},
): Promise<Report> {
  const reports: StepReport[] = [];
  for (const step of steps) {
    const report = await reportOf(step, diagnosis, reports);
    reports.push(report);
    onStep(report);
  }
  const cause = causeOf(reports);
  return { steps: reports, cause, exitCode: cause === undefined ? 0 : PROBLEMS[cause.problem].exitCode };
}

async function reportOf(
  step: Step,
  diagnosis: Diagnosis,
  earlier: readonly StepReport[],
): Promise<StepReport> {
  const { name, isAdvisory = false } = step;
  for (const needed of earlier.filter(({ name }) => step.needs.includes(name))) {
    const causedBy = needed.finding.result === "fail" ? needed.name : needed.causedBy;
    if (causedBy !== undefined) {
      return { name, isAdvisory, finding: skip(`not checked, caused by: ${causedBy}`), causedBy };
    }
  }
  const finding = await run(step, diagnosis);
  if (finding.result !== "fail") return { name, isAdvisory, finding };
  const causedBy = rootCauseOf(finding, diagnosis);
  return { name, isAdvisory, finding, ...causedBy !== undefined && { causedBy } };
}

async function run(step: Step, diagnosis: Diagnosis): Promise<Finding> {
  try {
    return await step.run(diagnosis);
  } catch (error) {
    return fail("internal", explain(error));
  }
}

function causeOf(reports: readonly StepReport[]): Report["cause"] {
  const first = reports.find(({ finding, isAdvisory }) => finding.result === "fail" && !isAdvisory);
  if (first === undefined) return undefined;
  const { name, finding } = reports.find(({ name }) => name === first.causedBy) ?? first;
  return finding.result === "fail" ? { step: name, problem: finding.problem } : undefined;
}
