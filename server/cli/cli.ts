import { Command } from "commander";
import { runProgram, type Terminal } from "../../shared/cli/run_program.ts";
import { versionText } from "../../shared/version.ts";

/** What the server's commands do. */
export interface ServerCommands {
  /** Runs the server until it is told to stop, and returns the exit code. */
  run(configFile: string | undefined): Promise<number>;
  /** Asks a server that runs with this configuration how it is, and returns the exit code: 0 when it is ready. */
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
    .description("Lets Sallyport agents in and reaches the web for them")
    .version(versionText());

  program.command("run", { isDefault: true })
    .description("run the server (the default)")
    .option("--config <file>", "YAML file; without it, defaults and SALLYPORT_* variables count")
    .action(async ({ config }: { config?: string }) => {
      code = await commands.run(config);
    });

  program.command("health")
    .description("ask the server on this machine how it is: exit code 0 when it is ready, else 1")
    .option("--config <file>", "the server's YAML file; without it, defaults and SALLYPORT_* variables count")
    .action(async ({ config }: { config?: string }) => {
      code = await commands.health(config);
    });

  const parsed = await runProgram(program, args, terminal);
  return code ?? parsed;
}
