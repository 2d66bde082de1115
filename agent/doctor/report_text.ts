import type { Report, StepReport } from "./examine.ts";
import { printable } from "../../shared/display_text.ts";
import { PROBLEMS } from "./problems.ts";

const WIDTH = 14;
const SIGNS = { pass: "ok", fail: "FAIL", skipped: "-" } as const;

/** A step in words, as soon as it is over. */
export function stepText({ name, finding, because, isAdvisory }: StepReport): string {
  const sign = finding.outcome === "fail" && isAdvisory ? "warn" : SIGNS[finding.outcome];
  const first = `${sign.padEnd(5)}${name.padEnd(WIDTH)}${shown(name, finding.detail)}\n`;
  if (finding.outcome !== "fail") return first;
  if (because !== undefined) return first + line("because", `of "${because}"`);
  const { means, advice } = PROBLEMS[finding.problem];
  return first + line("means", means) + line("do", advice);
}

/** What all of it comes to. */
export function verdictText({ cause, steps, exitCode }: Report): string {
  if (cause !== undefined) {
    return `\nWhat stands in the way is "${cause.step}" (${cause.problem}, exit code ${exitCode}).\n`;
  }
  const odd = steps.filter(({ finding }) => finding.outcome === "fail").map(({ name }) => `"${name}"`);
  if (odd.length === 0) return "\nNothing stands in the way.\n";
  return `\nNothing stands in the way of the tunnel; ${odd.join(" and ")} may trouble other programs.\n`;
}

function line(label: string, text: string): string {
  return `${" ".repeat(5 + WIDTH)}${label}: ${text}\n`;
}

/** A configuration has a line for each problem; of everything else servers and strangers may have a say. */
function shown(name: string, detail: string): string {
  const lines = name === "configuration" ? detail.split("\n") : [detail];
  return lines.map(printable).join(`\n${" ".repeat(5 + WIDTH)}`);
}
