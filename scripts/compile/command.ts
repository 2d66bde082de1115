import { fileURLToPath } from "node:url";
import { taskCommand } from "../task_command.ts";
import { fileName, type ProgramName, type Target, TARGETS } from "./targets.ts";

/** Folder of what is made on the way. */
export const BUILD_FOLDER = fileURLToPath(new URL("../../.build", import.meta.url));
/** Where the commit is written that an executable tells with `--version`; see shared/version.ts. */
export const COMMIT_FILE = `${BUILD_FOLDER}/commit`;

/** Where a program is bundled to: what it does not use of its libraries stays out of the executable. */
export function bundleFile(program: ProgramName): string {
  return `${BUILD_FOLDER}/${program}.js`;
}

/**
 * Tasks whose permissions a program has. The agent's executable makes certificates and runs commands too; it gives
 * the right to write, or to run, up before it does anything else.
 */
const TASKS: Readonly<Record<ProgramName, readonly string[]>> = {
  agent: ["agent", "certs", "exec"],
  server: ["server"],
};

/** Flags of `deno run` that a program's executable has baked in. */
export async function bakedFlags(program: ProgramName): Promise<string[]> {
  const commands = await Promise.all(TASKS[program].map(taskCommand));
  return [...new Set(commands.flatMap(({ flags }) => flags.slice(1)))];
}

/** Arguments of `deno` that make an executable of a program that was bundled. */
export async function compileArguments(
  program: ProgramName,
  target: Target,
  outDir: string,
): Promise<string[]> {
  return [
    "compile",
    "--quiet",
    // It would be written beside the executable, which lies where nobody may write.
    "--no-code-cache",
    ...await bakedFlags(program),
    `--include=${COMMIT_FILE}`,
    `--target=${TARGETS[target]}`,
    `--output=${outDir}/${fileName(program, target)}`,
    bundleFile(program),
  ];
}
