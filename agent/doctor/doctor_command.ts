import type { Terminal } from "../../shared/cli/run_program.ts";
import { printable } from "../../shared/display_text.ts";
import { examine } from "./examine.ts";
import { type DoctorOptions, Found } from "./found.ts";
import { reportJson } from "./report_json.ts";
import { stepText, verdictText } from "./report_text.ts";
import { STEPS } from "./steps/all.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * Examines all that the tunnel needs and tells what it finds, each step as soon as it is over.
 *
 * @param asJson Prints one line of JSON at the end instead.
 * @returns The exit code: 0, or that of the problem that stands in the way.
 */
export async function runDoctor(
  surroundings: Surroundings,
  options: DoctorOptions,
  asJson: boolean,
  terminal: Terminal,
): Promise<number> {
  const tell = (text: string) => terminal.err(`${printable(text)}\n`);
  await using found = new Found(options, surroundings, tell);
  const report = await examine(STEPS, found, (step) => asJson || terminal.out(stepText(step)));
  terminal.out(asJson ? `${reportJson(report)}\n` : verdictText(report));
  return report.exitCode;
}
