import { stripVTControlCharacters } from "node:util";
import { bundle } from "../bundle.ts";
import { childEnvironment } from "../child_environment.ts";
import { BUILD_FOLDER, bundleFile, COMMIT_FILE, compileArguments } from "./command.ts";
import { fileName, PROGRAMS, type Target } from "./targets.ts";

/** Bundles both programs and notes the commit, for {@linkcode compile}. */
export async function prepare(): Promise<void> {
  await Deno.mkdir(BUILD_FOLDER, { recursive: true });
  await Deno.writeTextFile(COMMIT_FILE, await commit());
  for (const program of PROGRAMS) {
    await Deno.writeFile(bundleFile(program), await bundle(`${program}/main.ts`));
  }
}

/** Removes what {@linkcode prepare} made. */
export async function tidy(): Promise<void> {
  await Deno.remove(BUILD_FOLDER, { recursive: true });
}

/** Makes the executables of a machine, once {@linkcode prepare} is done, in `outDir`; returns their names. @throws {Error} When one cannot be made. */
export async function compile(target: Target, outDir: string): Promise<string[]> {
  await Deno.mkdir(outDir, { recursive: true });
  for (const program of PROGRAMS) {
    const { success, errors } = await run(Deno.execPath(), await compileArguments(program, target, outDir));
    if (!success) throw new Error(`Cannot make ${fileName(program, target)}: ${explained(errors)}`);
  }
  return PROGRAMS.map((program) => fileName(program, target));
}

/**
 * The commit that `SOURCE_COMMIT` names, for builds that have no repository; else the one that is checked out, marked
 * when files differ from it; "unknown commit" where neither is known.
 */
async function commit(): Promise<string> {
  const named = Deno.env.get("SOURCE_COMMIT");
  if (named) return named;
  const described = await run("git", ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]);
  return described.success ? described.output.trim() : "unknown commit";
}

/** A runtime that cannot be downloaded is what fails most often, and Deno says it in many lines. */
export function explained(errors: string): string {
  const text = stripVTControlCharacters(errors).trim();
  if (!/dl\.deno\.land|error sending request|client error \(Connect\)/i.test(text)) return text;
  const causes = text.split("\n").flatMap((line) => /^\s+\d+: ([^<].*)$/.exec(line)?.[1] ?? []);
  return "Deno's runtime for executables cannot be downloaded from dl.deno.land; compile where the internet can be " +
    `reached, or name a downloaded denort in DENORT_BIN (${[...new Set(causes)].join(": ") || text})`;
}

async function run(program: string, args: readonly string[]) {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd: new URL("../../", import.meta.url),
    env: childEnvironment(),
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  try {
    const { success, stdout, stderr } = await command.output();
    return { success, output: new TextDecoder().decode(stdout), errors: new TextDecoder().decode(stderr) };
  } catch (error) {
    return { success: false, output: "", errors: String(error) };
  }
}
