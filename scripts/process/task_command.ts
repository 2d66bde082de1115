import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * Makes Deno read packages from its cache: deno.json says "manual", so that a task downloads only what its program
 * needs.
 */
export const NO_NODE_MODULES = "--node-modules-dir=none";

/** How a task of deno.json starts a program: everything between `deno` and the caller's arguments. */
export interface TaskCommand {
  /** `run` and its flags, permissions included, in the order of deno.json; without `--preload`. */
  readonly flags: readonly string[];
  /** Absolute path of the program's module. */
  readonly module: string;
  /** Arguments that the task itself gives to the program. */
  readonly args: readonly string[];
}

const ROOT = new URL("../../", import.meta.url);

/**
 * Reads a task of the form `deno run FLAGS MODULE ARGS` from deno.json, so that permissions are written once:
 * the demo and the tests start the programs with what the task names.
 *
 * @param root The folder of the project; another checkout of it, for a comparison.
 * @throws {Error} When deno.json has no such task, or it is not of that form.
 */
export async function taskCommand(name: string, root: string | URL = ROOT): Promise<TaskCommand> {
  const base = typeof root === "string" ? pathToFileURL(`${root}/`) : root;
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", base))) as Tasks;
  const task = tasks?.[name];
  const text = typeof task === "string" ? task : task?.command;
  if (text === undefined) throw new Error(`Cannot start "${name}": deno.json has no task of that name`);
  return parseTask(name, text, base);
}

interface Tasks {
  tasks?: Record<string, string | { command?: string }>;
}

/** Splits the text of a task into its parts; see {@linkcode taskCommand}. */
export function parseTask(name: string, text: string, root: URL = ROOT): TaskCommand {
  const [program, subcommand, ...rest] = splitWords(text);
  const at = rest.findIndex((word) => !word.startsWith("-"));
  const module = rest[at];
  if (program !== "deno" || subcommand !== "run" || module === undefined) {
    throw new Error(`Cannot start "${name}": task is not of the form "deno run FLAGS MODULE": ${text}`);
  }
  return {
    // The announcement is for people at a terminal, and its path is relative to the working directory.
    flags: ["run", ...rest.slice(0, at).filter((flag) => !flag.startsWith("--preload="))],
    module: fileURLToPath(new URL(module, root)),
    args: rest.slice(at + 1),
  };
}

/** Splits a command into words as a shell does, as far as tasks need it: by spaces outside quotes. */
function splitWords(text: string): string[] {
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single));
}
