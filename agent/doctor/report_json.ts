import { escapeForDisplay } from "../../shared/display_json.ts";
import type { Report } from "./examine.ts";
import { PROBLEMS } from "./problems.ts";

/** A report for programs, as one line of JSON; the README says what its fields mean. */
export function reportJson({ steps, cause, exitCode }: Report): string {
  return escapeForDisplay(JSON.stringify({
    ok: cause === undefined,
    exit_code: exitCode,
    ...(cause === undefined ? {} : { cause }),
    steps: steps.map(({ name, finding, because, isAdvisory }) => ({
      name,
      outcome: finding.outcome,
      detail: finding.detail,
      ...(finding.outcome === "fail"
        ? {
          problem: finding.problem,
          advisory: isAdvisory,
          means: PROBLEMS[finding.problem].means,
          advice: PROBLEMS[finding.problem].advice,
        }
        : {}),
      ...(because === undefined ? {} : { because }),
    })),
  }));
}
