import { Command } from "commander";
import { runProgram, type Terminal } from "../../shared/cli/run_program.ts";
import { versionText } from "../../shared/version.ts";
import type { AgentCommands } from "./agent_commands.ts";
import { addDoctorCommand } from "./doctor_cli.ts";
import { addLocalCommands } from "./local_cli.ts";
import { addCertificateCommands } from "./certs_cli.ts";

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
