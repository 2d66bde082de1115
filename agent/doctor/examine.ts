import { explain } from "../../shared/cli/explain.ts";
import { explanationOf } from "./explanation.ts";
import { fail, type Finding, skip } from "./finding.ts";
import type { Found } from "./found.ts";
import { type ProblemName, PROBLEMS } from "./problems.ts";
import type { Step } from "./step.ts";

/** What one step found. */
export interface StepReport {
  readonly name: string;
  readonly finding: Finding;
  /** Whether its failure stands in nobody's way by itself. */
  readonly isAdvisory: boolean;
  /** The step whose failure explains this one's outcome. */
  readonly because?: string;
}

/** What an examination found. */
export interface Report {
  readonly steps: readonly StepReport[];
  /** What stands in the way; undefined when nothing does. */
  readonly cause: { readonly step: string; readonly problem: ProblemName } | undefined;
  /** 0, or that of the problem. */
  readonly exitCode: number;
}

/**
 * Takes one step after the other. A step whose ground another has found missing is skipped, with the name of that
 * one; so the first that fails explains the later ones.
 *
 * @param onStep Hears of each as soon as it is over.
 */
export async function examine(
  steps: readonly Step[],
  found: Found,
  onStep: (report: StepReport) => void = () => {},
): Promise<Report> {
  const reports: StepReport[] = [];
  for (const step of steps) {
    const report = await reportOf(step, found, reports);
    reports.push(report);
    onStep(report);
  }
  const cause = causeOf(reports);
  return { steps: reports, cause, exitCode: cause === undefined ? 0 : PROBLEMS[cause.problem].exitCode };
}

async function reportOf(
  step: Step,
  found: Found,
  before: readonly StepReport[],
): Promise<StepReport> {
  const { name, isAdvisory = false } = step;
  for (const needed of before.filter(({ name }) => step.needs.includes(name))) {
    const broken = needed.finding.outcome === "fail" ? needed.name : needed.because;
    if (broken !== undefined) {
      return { name, isAdvisory, finding: skip(`not looked at, because of "${broken}"`), because: broken };
    }
  }
  const finding = await look(step, found);
  if (finding.outcome !== "fail") return { name, isAdvisory, finding };
  const because = explanationOf(finding, found);
  return { name, isAdvisory, finding, ...because !== undefined && { because } };
}

async function look(step: Step, found: Found): Promise<Finding> {
  try {
    return await step.look(found);
  } catch (error) {
    return fail("internal", explain(error));
  }
}

function causeOf(reports: readonly StepReport[]): Report["cause"] {
  const broken = reports.find(({ finding, isAdvisory }) => finding.outcome === "fail" && !isAdvisory);
  if (broken === undefined) return undefined;
  const { name, finding } = reports.find(({ name }) => name === broken.because) ?? broken;
  return finding.outcome === "fail" ? { step: name, problem: finding.problem } : undefined;
}
