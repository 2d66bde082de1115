import { Command } from "commander";
import { runProgram, type Terminal } from "../../shared/cli/run_program.ts";
import { versionText } from "../../shared/version.ts";
import type { DoctorOptions } from "../doctor/found.ts";
import type { Shell } from "../shell/shells.ts";
import { addDoctorCommand } from "./doctor_cli.ts";
import { addLocalCommands } from "./local_cli.ts";
import { addCertificateCommands, type CertificateCommands } from "./certs_cli.ts";

/** What the agent's commands do. */
export interface AgentCommands {
  /** Runs the agent until it is told to stop, and returns the exit code. */
  run(configFile: string | undefined): Promise<number>;
  /** Tells how the agent is that runs; returns the exit code. */
  status(configFile: string | undefined, asJson: boolean): Promise<number>;
  /** Prints what makes a shell's programs go through the agent. */
  env(configFile: string | undefined, shell: Shell, withGit: boolean): Promise<void>;
  /** Runs a command that goes through the agent; returns its exit code. */
  exec(configFile: string | undefined, words: readonly string[], withGit: boolean): Promise<number>;
  /** Examines what the tunnel needs; returns the exit code. */
  doctor(configFile: string | undefined, options: DoctorOptions, asJson: boolean): Promise<number>;
  /** Loads what stands behind `certs`. */
  certificates(): Promise<CertificateCommands>;
}

/** Runs the agent's command line; returns the exit code. */
export async function agentCli(
  args: readonly string[],
  commands: AgentCommands,
  terminal: Terminal,
): Promise<number> {
  let code: number | undefined;
  const program = new Command("sallyport-agent")
    .description("Local proxy that reaches the web through a Sallyport server")
    .version(versionText());

  program.command("run", { isDefault: true })
    .description("run the agent (the default)")
    .option("--config <file>", "YAML file; without it, defaults and SALLYPORT_* variables count")
    .action(async ({ config }: { config?: string }) => {
      code = await commands.run(config);
    });

  addLocalCommands(program, commands, (chosen) => code = chosen);
  addDoctorCommand(program, commands, (chosen) => code = chosen);
  addCertificateCommands(program, {
    terminal,
    load: commands.certificates,
    exitWith: (chosen) => code = chosen,
  });

  const parsed = await runProgram(program, args, terminal);
  return code ?? parsed;
}
