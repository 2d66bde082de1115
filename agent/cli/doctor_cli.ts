import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../../shared/config/duration.ts";
import type { DoctorOptions } from "../doctor/found.ts";
import { CONTROL_SITE } from "../doctor/control_site.ts";
import type { AgentCommands } from "./agent_commands.ts";

/** The least and the most that `--timeout` may be, in milliseconds. */
const TIMEOUT = { min: 100, max: 600_000 };

interface Options {
  readonly config?: string;
  readonly json?: boolean;
  readonly wake?: boolean;
  readonly control: URL;
  readonly page: URL;
  readonly timeout: number;
}

/** Adds `doctor`. @param exitWith Takes the exit code. */
export function addDoctorCommand(
  program: Command,
  commands: Pick<AgentCommands, "doctor">,
  exitWith: (code: number) => void,
): void {
  program.command("doctor")
    .description("find out why the tunnel does not work: exit code 0, or that of what stands in the way")
    .option("--config <file>", "the agent's YAML file; without it, defaults and SALLYPORT_* variables count")
    .option("--json", "print one line of JSON at the end instead")
    .option("--wake", "wake a server that sleeps")
    .option("--control <url>", "a site that everybody can reach, over plain HTTP", parseUrl, CONTROL_SITE)
    .option("--page <url>", "what is asked for through the tunnel, over plain HTTP", parseUrl, CONTROL_SITE)
    .option(
      "--timeout <duration>",
      'for each thing that is asked of the network, such as "5s"',
      parseTime,
      5_000,
    )
    .action(async ({ config, json = false, wake = false, control, page, timeout }: Options) => {
      const options: DoctorOptions = { control, page, timeoutMs: timeout, wake };
      exitWith(await commands.doctor(config, options, json));
    });
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== "http:" || url.username !== "" || url.password !== "") {
    throw new InvalidArgumentError("expected an address that begins with http://, without user and password");
  }
  url.hash = "";
  return url;
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= TIMEOUT.min && ms <= TIMEOUT.max) return ms;
  throw new InvalidArgumentError('expected a length of time such as "500ms" or "5s", 100ms to 10m');
}
