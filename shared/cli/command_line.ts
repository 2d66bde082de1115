import { basename } from "node:path";
import { shellWord } from "../text/shell_words.ts";

/** Runs a task with the Deno version of `.ci/deno`. */
const TASK = "npx -y deno@2.9.6 task -q";

/**
 * The command line of a command of this program: as a task, or with the running executable.
 *
 * @param words Such as `agent --config agent.yaml`; with an executable the first word is replaced by its name.
 */
export function commandLine(words: string): string {
  if (!Deno.build.standalone) return `${TASK} ${words}`;
  return words.replace(/^\S+/, () => basename(Deno.execPath()));
}

/** How this program was started. */
interface ProgramForm {
  /** The executable's path; undefined for a task. */
  readonly executable: string | undefined;
}

function runningForm(): ProgramForm {
  return { executable: Deno.build.standalone ? Deno.execPath() : undefined };
}

/**
 * The command line of a command of the agent, in the form in which this program was started.
 *
 * @param command Such as `doctor` or `exec`; `""` runs the agent.
 * @param config The configuration file. @default {none}
 * @param rest What follows, such as `-- COMMAND`.
 */
export function agentCommand(command: string, config?: string, rest = "", form = runningForm()): string {
  const program = programOf(form);
  // Only the task `exec` may run programs.
  const start = program === undefined ? (command === "exec" ? [TASK] : [TASK, "agent"]) : [program];
  const options = config === undefined ? [] : ["--config", shellWord(config)];
  return [...start, command, ...options, rest].filter((word) => word !== "").join(" ");
}

/** The command line of a command below `certs`, such as `issue --server`, in the form in which this program was started. */
export function certsCommand(words: string, form = runningForm()): string {
  // Only the task `certs` may write files.
  return `${programOf(form) ?? TASK} certs ${words}`;
}

/** The agent's executable; it and the server's are built together. */
function programOf({ executable }: ProgramForm): string | undefined {
  return executable && shellWord(basename(executable).replace("server", "agent"));
}
