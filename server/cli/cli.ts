import { Command } from "commander";
import { runProgram } from "../../shared/cli/run_program.ts";
import type { Terminal } from "../../shared/cli/terminal.ts";
import { versionText } from "../../shared/version.ts";

/** What the server's commands do. */
export interface ServerCommands {
  /** Runs the server until a signal stops it, and returns the exit code. */
  run(configFile: string | undefined): Promise<number>;
  /** Checks a running server with this configuration, and returns the exit code: 0 when it is ready. */
  health(configFile: string | undefined): Promise<number>;
}

/** Runs the server's command line; returns the exit code. */
export async function serverCli(
  args: readonly string[],
  commands: ServerCommands,
  terminal: Terminal,
): Promise<number> {
  let code: number | undefined;
  const program = new Command("sallyport-server")
    .description("Sallyport server: accepts agents and connects them to their targets")
    .version(versionText())
    .addHelpText("after", `\nOption of run:\n  ${CONFIG[0]}  ${CONFIG[1]}`);

  program.command("run", { isDefault: true })
    .description("run the server (the default)")
    .option(...CONFIG)
    .action(async ({ config }: { config?: string }) => {
      code = await commands.run(config);
    });

  program.command("health")
    .description("check the server on this machine: exit code 0 when it is ready, 1 otherwise")
    .option(...CONFIG)
    .action(async ({ config }: { config?: string }) => {
      code = await commands.health(config);
    });

  const parsed = await runProgram(program, args, terminal);
  return code ?? parsed;
}

const CONFIG = [
  "--config <file>",
  "the server's YAML file (default: server.yaml in the working directory, if it exists)",
] as const;
