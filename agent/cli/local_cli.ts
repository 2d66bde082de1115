import { type Command, Option } from "commander";
import { type Shell, SHELLS } from "../shell/shells.ts";
import type { AgentCommands } from "./agent_commands.ts";

const CONFIG = [
  "--config <file>",
  "the agent's YAML file; without it, defaults and SALLYPORT_* variables count",
] as const;
const GIT = ["--git", "git over ssh goes through it too, by way of nc"] as const;

/** Adds the commands that are for an agent which runs on this machine. @param exitWith Takes the exit code. */
export function addLocalCommands(
  program: Command,
  commands: Pick<AgentCommands, "status" | "env" | "exec">,
  exitWith: (code: number) => void,
): void {
  program.enablePositionalOptions();
  program.command("status")
    .description("ask the agent that runs how it is: exit code 0 when the tunnel is ready, else 1")
    .option(...CONFIG)
    .option("--json", "print what the console answers")
    .action(async ({ config, json = false }: { config?: string; json?: boolean }) => {
      exitWith(await commands.status(config, json));
    });
  program.command("env")
    .description('print variables that make programs go through the agent: eval "$(agent env)"')
    .option(...CONFIG)
    .option(...GIT)
    .addOption(new Option("--shell <shell>", "whose language").choices(SHELLS).default("bash"))
    .action(({ config, shell, git = false }: { config?: string; shell: Shell; git?: boolean }) =>
      commands.env(config, shell, git)
    );
  program.command("exec")
    .description("run a command that goes through the agent; its exit code is this one's")
    .usage("[options] -- command...")
    .argument("<command...>", "the command and its arguments")
    .option(...CONFIG)
    .option(...GIT)
    .passThroughOptions()
    .action(async (words: string[], { config, git = false }: { config?: string; git?: boolean }) => {
      exitWith(await commands.exec(config, words, git));
    });
}
