import { fileURLToPath } from "node:url";

/** How a task of deno.json starts a program: what stands between `deno` and the program's own arguments. */
export interface TaskCommand {
  /** `run` and its flags, the permissions among them, in the order of deno.json. */
  readonly flags: readonly string[];
  /** The program's module, as an absolute path. */
  readonly module: string;
  /** Arguments that the task itself gives to the program. */
  readonly args: readonly string[];
}

const ROOT = new URL("../", import.meta.url);

/**
 * Reads a task of the form `deno run FLAGS MODULE ARGS` from deno.json, so that permissions are written once:
 * the demo and the tests start the programs with what the task names.
 *
 * @throws {Error} When deno.json has no such task, or it is not of that form.
 */
export async function taskCommand(name: string): Promise<TaskCommand> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))) as Tasks;
  const task = tasks?.[name];
  const text = typeof task === "string" ? task : task?.command;
  if (text === undefined) throw new Error(`Cannot start "${name}": deno.json has no task of that name`);
  return parseTask(name, text);
}

interface Tasks {
  tasks?: Record<string, string | { command?: string }>;
}

/** Cuts the text of a task into its parts; see {@linkcode taskCommand}. */
export function parseTask(name: string, text: string): TaskCommand {
  const [program, subcommand, ...rest] = splitWords(text);
  const at = rest.findIndex((word) => !word.startsWith("-"));
  const module = rest[at];
  if (program !== "deno" || subcommand !== "run" || module === undefined) {
    throw new Error(`Cannot start "${name}": task is not of the form "deno run FLAGS MODULE": ${text}`);
  }
  return {
    flags: ["run", ...rest.slice(0, at)],
    module: fileURLToPath(new URL(module, ROOT)),
    args: rest.slice(at + 1),
  };
}

/** Words as a shell cuts them, as far as tasks need it: blanks separate, quotes of both kinds keep together. */
function splitWords(text: string): string[] {
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
}
