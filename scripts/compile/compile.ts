import { stripVTControlCharacters } from "node:util";
import { bundle } from "../build/bundle.ts";
import { childEnvironment } from "../process/child_environment.ts";
import { sourceCommit } from "../deploy/source_tag.ts";
import { BUILD_FOLDER, bundleFile, COMMIT_FILE, compileArguments } from "./command.ts";
import { fetchDenort, RELEASES } from "./denort.ts";
import { fileName, PROGRAMS, type Target } from "./targets.ts";

/** Bundles both programs and stores the commit, for {@linkcode compile}. */
export async function prepare(): Promise<void> {
  await Deno.mkdir(BUILD_FOLDER, { recursive: true });
  await Deno.writeTextFile(COMMIT_FILE, await commit());
  for (const program of PROGRAMS) {
    await Deno.writeFile(bundleFile(program), await bundle(`${program}/main.ts`));
  }
  // Executables contain the times of embedded files, and must be the same on every machine.
  for (const path of [COMMIT_FILE, ...PROGRAMS.map(bundleFile)]) await Deno.utime(path, 0, 0);
}

/** Removes the files of {@linkcode prepare}. */
export async function tidy(): Promise<void> {
  await Deno.remove(BUILD_FOLDER, { recursive: true });
}

/**
 * Compiles the executables for a platform to `outDir`, after {@linkcode prepare}; returns their names. The runtime is
 * the file that `DENORT_BIN` names, or else is downloaded and checked.
 *
 * @param releases Address that runtimes are downloaded from. @default {@linkcode RELEASES}
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
      throw new Error(`Cannot compile ${fileName(program, target)}: ${text}`);
    }
  }
  return PROGRAMS.map((program) => fileName(program, target));
}

/** Writes `SHA256SUMS` for these files of a folder, in the format of `sha256sum --check`. */
export async function writeChecksums(folder: string, names: readonly string[]): Promise<void> {
  const lines = await Promise.all(
    [...names].sort().map(async (name) => {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${folder}/${name}`));
      return `${new Uint8Array(digest).toHex()}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, lines.join(""));
}

async function downloadDenort(target: Target, releases: string): Promise<string> {
  const path = `${BUILD_FOLDER}/denort-${target}`;
  await Deno.writeFile(path, await fetchDenort(target, releases), { mode: 0o755 });
  return path;
}

/**
 * The commit in `SOURCE_COMMIT`, for builds without a repository, or else the one checked out, marked when files
 * differ from it; "unknown commit" without either.
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
