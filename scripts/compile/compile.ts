import { stripVTControlCharacters } from "node:util";
import { bundle } from "../bundle.ts";
import { childEnvironment } from "../child_environment.ts";
import { sourceCommit } from "../cloud/source_tag.ts";
import { BUILD_FOLDER, bundleFile, COMMIT_FILE, compileArguments } from "./command.ts";
import { fetchDenort, RELEASES } from "./denort.ts";
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

/**
 * Makes the executables of a machine, once {@linkcode prepare} is done, in `outDir`; returns their names. They are
 * made of the runtime that `DENORT_BIN` names, or else of one that is downloaded and checked.
 *
 * @param releases Where runtimes are downloaded from. @default {@linkcode RELEASES}
 * @throws {Error} When the runtime cannot be downloaded or does not match its checksum, or Deno cannot compile.
 */
export async function compile(target: Target, outDir: string, releases = RELEASES): Promise<string[]> {
  await Deno.mkdir(outDir, { recursive: true });
  const DENORT_BIN = Deno.env.get("DENORT_BIN") || await downloadDenort(target, releases);
  for (const program of PROGRAMS) {
    const args = await compileArguments(program, target, outDir);
    const { success, errors } = await run(Deno.execPath(), args, { DENORT_BIN });
    if (!success) {
      const text = stripVTControlCharacters(errors).trim();
      throw new Error(`Cannot make ${fileName(program, target)}: ${text}`);
    }
  }
  return PROGRAMS.map((program) => fileName(program, target));
}

async function downloadDenort(target: Target, releases: string): Promise<string> {
  const path = `${BUILD_FOLDER}/denort-${target}`;
  await Deno.writeFile(path, await fetchDenort(target, releases), { mode: 0o755 });
  return path;
}

/**
 * The commit that `SOURCE_COMMIT` names, for builds that have no repository; else the one that is checked out, marked
 * when files differ from it; "unknown commit" where neither is known.
 */
async function commit(): Promise<string> {
  const named = Deno.env.get("SOURCE_COMMIT");
  if (named) return named;
  return await sourceCommit() ?? "unknown commit";
}

async function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd: new URL("../../", import.meta.url),
    env: { ...childEnvironment(), ...env },
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
