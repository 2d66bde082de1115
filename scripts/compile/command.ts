import { fileURLToPath } from "node:url";
import { taskCommand } from "../process/task_command.ts";
import { fileName, type ProgramName, type Target, TARGETS } from "./targets.ts";

/** Folder of intermediate files. */
export const BUILD_FOLDER = fileURLToPath(new URL("../../.build", import.meta.url));
/** File with the commit that an executable prints with `--version`; see shared/version.ts. */
export const COMMIT_FILE = `${BUILD_FOLDER}/commit`;

/** Bundle of a program: library code that it does not use stays out of the executable. */
export function bundleFile(program: ProgramName): string {
  return `${BUILD_FOLDER}/${program}.js`;
}

/**
 * Tasks whose permissions a program has. The agent's executable creates certificates and runs commands too; otherwise
 * it drops the permissions to write and to run before it does anything else.
 */
const TASKS: Readonly<Record<ProgramName, readonly string[]>> = {
  agent: ["agent", "certs", "exec"],
  server: ["server"],
};

/** Flags of `deno run` that are built into a program's executable. */
export async function bakedFlags(program: ProgramName): Promise<string[]> {
  const commands = await Promise.all(TASKS[program].map((task) => taskCommand(task)));
  const flags = new Set(commands.flatMap(({ flags }) => flags.slice(1)));
  // Given both, Deno lets a permission's list win over the same permission without one.
  return [...flags].filter((flag) => {
    const [name = ""] = flag.split("=");
    return name === flag || !flags.has(name);
  });
}

/** Arguments of `deno` that compile the bundle of a program. */
export async function compileArguments(
  program: ProgramName,
  target: Target,
  outDir: string,
): Promise<string[]> {
  return [
    "compile",
    "--quiet",
    // The cache would be written next to the executable, in a folder that is usually not writable.
    "--no-code-cache",
    ...await bakedFlags(program),
    `--include=${COMMIT_FILE}`,
    `--target=${TARGETS[target]}`,
    `--output=${outDir}/${fileName(program, target)}`,
    bundleFile(program),
  ];
}
