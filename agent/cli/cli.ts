import { Command, InvalidArgumentError } from "commander";
import { runProgram } from "../../shared/cli/run_program.ts";
import type { Terminal } from "../../shared/cli/terminal.ts";
import { parseDuration } from "../../shared/config/duration.ts";
import { versionText } from "../../shared/version.ts";
import { CONTROL_SITE, type DoctorOptions } from "../doctor/context.ts";
import { shellOf, SHELLS } from "../shell/shells.ts";
import { addCertificateCommands, type CertificateCommands } from "./certs_cli.ts";

/** What the agent's commands do; each returns the exit code. */
export interface AgentCommands {
  /** Runs the agent until it is stopped. */
  run(configFile: string | undefined): Promise<number>;
  /** Shows the running agent's status. */
  status(configFile: string | undefined, asJson: boolean): Promise<number>;
  /** Prints variables that send a shell's programs through the agent. @param shell @default {that of `$SHELL`} */
  env(configFile: string | undefined, shell: string | undefined, withGit: boolean): Promise<number>;
  /** Runs a command through the agent. */
  exec(configFile: string | undefined, words: readonly string[], withGit: boolean): Promise<number>;
  /** Checks what the tunnel needs. */
  doctor(configFile: string | undefined, options: DoctorOptions, asJson: boolean): Promise<number>;
  /** Loads the implementation of `certs`. */
  certificates(): Promise<CertificateCommands>;
}

/** Runs the agent's command line; returns the exit code. */
export async function agentCli(
  args: readonly string[],
  commands: AgentCommands,
  terminal: Terminal,
): Promise<number> {
  let code: number | undefined;
  const exitWith = (chosen: number) => void (code = chosen);
  const program = new Command("sallyport-agent")
    .description("Local proxy that reaches the web through a Sallyport server")
    .version(versionText())
    .addHelpText("after", `\nOption of run:\n  ${CONFIG[0]}  ${CONFIG[1]}`);
  program.command("run", { isDefault: true })
    .description("run the agent (the default)")
    .option(...CONFIG)
    .action(async ({ config }: CommonOptions) => exitWith(await commands.run(config)));
  addLocalCommands(program, commands, exitWith);
  addDoctorCommand(program, commands, exitWith);
  addCertificateCommands(program, { terminal, load: commands.certificates, exitWith });
  const parsed = await runProgram(program, args, terminal);
  return code ?? parsed;
}

const CONFIG = [
  "--config <file>",
  "the agent's YAML file (default: agent.yaml in the working directory, if it exists)",
] as const;
const GIT = ["--git", "also send git over ssh through the agent, with nc"] as const;

interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds the commands that use the agent running on this machine. */
function addLocalCommands(
  program: Command,
  commands: Pick<AgentCommands, "status" | "env" | "exec">,
  exitWith: (code: number) => void,
): void {
  program.enablePositionalOptions();
  program.command("status")
    .description("show agent status; exit code 0 if the tunnel is ready, 1 if not")
    .option(...CONFIG)
    .option("--json", "print the status as JSON")
    .action(async ({ config, json = false }: CommonOptions) => {
      exitWith(await commands.status(config, json));
    });
  program.command("env")
    .description('print variables that send programs through the agent: eval "$(agent env)"')
    .option(...CONFIG)
    .option(...GIT)
    .option(
      "--shell <shell>",
      `name or path of the shell: ${SHELLS.join(", ")} (default: $SHELL)`,
      parseShell,
    )
    .action(async ({ config, shell, git = false }: CommonOptions & { shell?: string; git?: boolean }) => {
      exitWith(await commands.env(config, shell, git));
    });
  program.command("exec")
    .description("run a command through the agent, and exit with its exit code")
    .usage("[options] -- command...")
    .argument("<command...>", "the command and its arguments")
    .option(...CONFIG)
    .option(...GIT)
    .passThroughOptions()
    .action(async (words: string[], { config, git = false }: CommonOptions & { git?: boolean }) => {
      exitWith(await commands.exec(config, words, git));
    });
}

function parseShell(text: string): string {
  const shell = shellOf(text);
  if (shell !== undefined) return shell;
  throw new InvalidArgumentError(`expected one of ${SHELLS.join(", ")}, or a path that ends with one`);
}

/** Limits of `--timeout`, in milliseconds. */
const TIMEOUT = { min: 100, max: 600_000 };

/** In milliseconds; the help says `5s`. */
const DEFAULT_TIMEOUT = 5_000;

interface DoctorCliOptions extends CommonOptions {
  readonly wake?: boolean;
  readonly control: URL;
  readonly page: URL;
  readonly timeout?: number;
}

function addDoctorCommand(
  program: Command,
  commands: Pick<AgentCommands, "doctor">,
  exitWith: (code: number) => void,
): void {
  program.command("doctor")
    .description("find out why the tunnel does not work; exit code 0, or that of the problem")
    .option(...CONFIG)
    .option("--json", "print the report as one line of JSON")
    .option("--wake", "wake the server if it is asleep")
    .option("--control <url>", "a public site, over plain HTTP", parseUrl, CONTROL_SITE)
    .option("--page <url>", "a page to fetch through the tunnel, over plain HTTP", parseUrl, CONTROL_SITE)
    .option(
      "--timeout <duration>",
      'time limit for each network operation, such as "500ms", 100ms to 10m (default: "5s")',
      parseTime,
    )
    .action(async (given: DoctorCliOptions) => {
      const { config, json = false, wake = false, control, page, timeout = DEFAULT_TIMEOUT } = given;
      exitWith(await commands.doctor(config, { control, page, timeoutMs: timeout, wake }, json));
    });
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== "http:" || url.username !== "" || url.password !== "") {
    throw new InvalidArgumentError("expected a URL that begins with http://, without user and password");
  }
  url.hash = "";
  return url;
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= TIMEOUT.min && ms <= TIMEOUT.max) return ms;
  if (/^\d+$/.test(text)) throw new InvalidArgumentError(`${text}: add a unit, as in 5s`);
  throw new InvalidArgumentError('expected a duration such as "500ms" or "5s", from 100ms to 10m');
}
