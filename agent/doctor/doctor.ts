import type { Terminal } from "../../shared/cli/terminal.ts";
import { printable } from "../../shared/text/sanitize.ts";
import type { DoctorContext, DoctorOptions } from "./context.ts";
import { clock, control } from "./control_steps.ts";
import { diagnose } from "./diagnose.ts";
import { Diagnosis } from "./diagnosis.ts";
import { fleet } from "./fleet_step.ts";
import { certificate, configuration, ports, revocation } from "./local_steps.ts";
import { names, proxy, server } from "./path_steps.ts";
import { conclusionText, reportJson, stepText } from "./report.ts";
import { session, tls } from "./session_steps.ts";
import type { Step } from "./step.ts";
import { page, speed } from "./traffic_steps.ts";

/** From this machine outwards. */
export const STEPS: readonly Step[] = [
  configuration,
  ports,
  proxy,
  control,
  clock,
  certificate,
  revocation,
  names,
  fleet,
  server,
  tls,
  session,
  speed,
  page,
];

/**
 * Checks everything that the tunnel needs and prints each step's result as it completes.
 *
 * @param asJson Prints one line of JSON at the end instead.
 * @returns The exit code: 0, or that of the problem that stops the tunnel.
 */
export async function runDoctor(
  context: DoctorContext,
  options: DoctorOptions,
  asJson: boolean,
  terminal: Terminal,
): Promise<number> {
  const progress = (text: string) => terminal.err(`sallyport-agent: ${printable(text)}\n`);
  await using diagnosis = new Diagnosis(options, context, progress);
  const report = await diagnose(STEPS, diagnosis, (step) => asJson || terminal.out(stepText(step)));
  terminal.out(asJson ? `${reportJson(report)}\n` : conclusionText(report));
  return report.exitCode;
}
