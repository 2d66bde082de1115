import type { Validity } from "../../shared/tls/fault.ts";
import type { ProblemName } from "./problems.ts";

/** What one look found. */
export type Finding =
  | { readonly outcome: "pass"; readonly detail: string }
  | Failure
  /** There is nothing to look at, or nothing that could be asked; what comes later does not need it. */
  | { readonly outcome: "skipped"; readonly detail: string };

/** Something that is not as it should be. */
export interface Failure {
  readonly outcome: "fail";
  readonly detail: string;
  readonly problem: ProblemName;
  /** When the certificate would be good that is not; undefined where dates are not what is wrong. */
  readonly validity?: Validity | undefined;
}

/** It is as it should be. @param detail What was seen. */
export function pass(detail: string): Finding {
  return { outcome: "pass", detail };
}

/** It is not as it should be. @param detail What was seen, in the words of whoever noticed. */
export function fail(problem: ProblemName, detail: string, validity?: Validity): Failure {
  return { outcome: "fail", problem, detail, validity };
}

/** It was not looked at. @param detail Why. */
export function skip(detail: string): Finding {
  return { outcome: "skipped", detail };
}
