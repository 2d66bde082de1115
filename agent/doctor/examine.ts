import { explain } from "../../shared/cli/explain.ts";
import { fail, type Finding, skip } from "./finding.ts";
import type { Found } from "./found.ts";
import { type ProblemName, PROBLEMS } from "./problems.ts";
import type { Step } from "./step.ts";

/** What one step found. */
export interface StepReport {
  readonly name: string;
  readonly finding: Finding;
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
    const report = await reportOf(step, found, steps, reports);
    reports.push(report);
    onStep(report);
  }
  const cause = causeOf(steps, reports);
  return { steps: reports, cause, exitCode: cause === undefined ? 0 : PROBLEMS[cause.problem].exitCode };
}

async function reportOf(
  step: Step,
  found: Found,
  steps: readonly Step[],
  before: readonly StepReport[],
): Promise<StepReport> {
  const { name } = step;
  for (const needed of before.filter(({ name }) => step.needs.includes(name))) {
    const broken = needed.finding.outcome === "fail" ? needed.name : needed.because;
    if (broken !== undefined) {
      return { name, finding: skip(`not looked at, because of "${broken}"`), because: broken };
    }
  }
  const finding = await look(step, found);
  if (finding.outcome !== "fail") return { name, finding };
  const explanation = explanationOf(finding.problem, steps, before);
  return { name, finding, ...explanation && { because: explanation } };
}

async function look(step: Step, found: Found): Promise<Finding> {
  try {
    return await step.look(found);
  } catch (error) {
    return fail("internal", explain(error));
  }
}

/** The first step before whose failure is the deeper reason of a problem. */
function explanationOf(
  problem: ProblemName,
  steps: readonly Step[],
  before: readonly StepReport[],
): string | undefined {
  return before.find(({ name, finding }) =>
    finding.outcome === "fail" && steps.find((step) => step.name === name)?.explains?.includes(problem)
  )?.name;
}

function causeOf(steps: readonly Step[], reports: readonly StepReport[]): Report["cause"] {
  const standsInTheWay = ({ name, finding }: StepReport) =>
    finding.outcome === "fail" && steps.find((step) => step.name === name)?.explains === undefined;
  const broken = reports.find(standsInTheWay);
  if (broken === undefined) return undefined;
  const { name, finding } = reports.find(({ name }) => name === broken.because) ?? broken;
  return finding.outcome === "fail" ? { step: name, problem: finding.problem } : undefined;
}
