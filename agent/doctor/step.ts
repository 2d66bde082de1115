import type { Validity } from "../../shared/pki/certificate_problem.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { ProblemName } from "./problems.ts";

/** A check of one thing that the tunnel needs. */
export interface Step {
  /** Shown in the report. */
  readonly name: string;
  /** Steps that must succeed before this one can run. */
  readonly needs: readonly string[];
  /** Whether a problem found here does not stop the tunnel, and only explains others. @default false */
  readonly isAdvisory?: boolean;
  /** Runs the check and stores in `diagnosis` what later steps need. An error thrown is a bug in doctor. */
  run(diagnosis: Diagnosis): Promise<Finding>;
}

/** The result of a step. */
export type Finding =
  | {
    readonly result: "pass";
    readonly detail: string;
    /** What was measured, for the report as JSON. @default {nothing} */
    readonly figures?: Readonly<Record<string, unknown>>;
  }
  | ProblemFinding
  /** There was nothing to check, or no way to check it; later steps do not depend on it. */
  | { readonly result: "skipped"; readonly detail: string };

/** A problem that a step found. */
export interface ProblemFinding {
  readonly result: "fail";
  readonly detail: string;
  readonly problem: ProblemName;
  /** When the rejected certificate would be valid; undefined if its dates are not the problem. */
  readonly validity?: Validity | undefined;
  /** What to do, if more is known than the problem says. @default {that of the problem} */
  readonly advice?: string;
}

/** The check passed. @param detail What was observed. @param figures What was measured, for the report as JSON. */
export function pass(detail: string, figures?: Readonly<Record<string, unknown>>): Finding {
  return { result: "pass", detail, ...figures !== undefined && { figures } };
}

/** The check found a problem. @param detail What was observed, usually the message of the error. */
export function fail(problem: ProblemName, detail: string, validity?: Validity): ProblemFinding {
  return { result: "fail", problem, detail, validity };
}

/** The check did not run. @param detail The reason. */
export function skip(detail: string): Finding {
  return { result: "skipped", detail };
}
