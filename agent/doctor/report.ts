import { printableJson } from "../../shared/text/sanitize.ts";
import { printable } from "../../shared/text/sanitize.ts";
import type { Report, StepReport } from "./diagnose.ts";
import { PROBLEMS } from "./problems.ts";
import type { ProblemFinding } from "./step.ts";

const WIDTH = 14;
const LABELS = { pass: "ok", fail: "FAIL", skipped: "-" } as const;

/** The report on a step as text. */
export function stepText({ name, finding, causedBy, isAdvisory }: StepReport): string {
  const label = finding.result === "fail" && isAdvisory ? "warn" : LABELS[finding.result];
  const first = `${label.padEnd(5)}${name.padEnd(WIDTH)}${shown(name, finding.detail)}\n`;
  if (finding.result !== "fail") return first;
  if (causedBy !== undefined) return first + line("caused by", causedBy);
  return first + line("means", PROBLEMS[finding.problem].means) + line("do", printable(adviceOf(finding)));
}

/** The conclusion as text. */
export function conclusionText({ cause, steps, exitCode }: Report): string {
  if (cause !== undefined) {
    const verdict = cause.step === "page"
      ? "The tunnel works, but not for the test page"
      : "The tunnel does not work";
    return `\n${verdict}. Cause: ${cause.step} (${cause.problem}, exit code ${exitCode}).\n`;
  }
  const warned = steps.filter(({ finding }) => finding.result === "fail").map(({ name }) => name);
  if (warned.length === 0) return "\nThe tunnel works.\n";
  return `\nThe tunnel works; ${warned.join(" and ")} may affect other programs.\n`;
}

/** The report as one line of JSON. */
export function reportJson({ steps, cause, exitCode }: Report): string {
  return printableJson(JSON.stringify({
    ok: cause === undefined,
    exit_code: exitCode,
    ...(cause === undefined ? {} : { cause }),
    steps: steps.map(({ name, finding, causedBy, isAdvisory }) => ({
      name,
      result: finding.result,
      detail: finding.detail,
      ...(finding.result === "pass" ? finding.figures : {}),
      ...(finding.result === "fail"
        ? {
          problem: finding.problem,
          advisory: isAdvisory,
          means: PROBLEMS[finding.problem].means,
          advice: adviceOf(finding),
        }
        : {}),
      ...(causedBy === undefined ? {} : { caused_by: causedBy }),
    })),
  }));
}

function adviceOf({ problem, advice = PROBLEMS[problem].advice }: ProblemFinding): string {
  return advice;
}

function line(label: string, text: string): string {
  return `${" ".repeat(5 + WIDTH)}${label}: ${text}\n`;
}

/** Configuration errors are one line each; in all other details, servers and strangers may have put line breaks. */
function shown(name: string, detail: string): string {
  const lines = name === "configuration" ? detail.split("\n") : [detail];
  return lines.map(printable).join(`\n${" ".repeat(5 + WIDTH)}`);
}
