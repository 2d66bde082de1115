import { whyMissing } from "../tools.ts";
const ROOT = new URL("../../../", import.meta.url);
const REQUIREMENTS = new URL("tests/cloud/requirements.txt", ROOT);
/** Milliseconds for fetching the packages. */
const INSTALL_TIMEOUT = 300_000;

/** Programs of Python that the tests of the cloud use, in an environment of their own; or why there are none. */
export type PythonEnv = { readonly bin: string } | { readonly missing: string };

let made: Promise<PythonEnv> | undefined;

/**
 * The emulators of AWS in the versions that requirements.txt pins. They are fetched the first time, into a folder
 * of the repository that git ignores, and used again until the pins change.
 */
export function pythonEnv(): Promise<PythonEnv> {
  return made ??= make();
}

async function make(): Promise<PythonEnv> {
  const pins = await Deno.readFile(REQUIREMENTS);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", pins)).toHex().slice(0, 16);
  const folder = decodeURIComponent(new URL(`.venv/${digest}`, ROOT).pathname);
  const done = `${folder}/complete`;
  if (await exists(done)) return { bin: `${folder}/bin` };
  const python = await run("python3", ["-m", "venv", "--clear", folder]);
  if (python !== undefined) return { missing: `no Python 3 with venv here: ${python}` };
  const installed = await run(`${folder}/bin/pip`, [
    "install",
    "--quiet",
    // Only what is pinned, by version and content. Wheels alone: what builds a package from source is pinned nowhere.
    "--require-hashes",
    "--no-deps",
    "--only-binary=:all:",
    "--requirement",
    REQUIREMENTS.pathname,
  ]);
  if (installed !== undefined) return { missing: `its packages cannot be installed: ${installed}` };
  await Deno.writeTextFile(done, "");
  return { bin: `${folder}/bin` };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false; // not made yet, or not to the end
  }
}

/** Runs a program; returns what went wrong. */
async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(INSTALL_TIMEOUT);
    const command = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      signal,
    });
    const { success, stderr } = await command.output();
    return success ? undefined : new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "it failed";
  } catch (error) {
    return String(error);
  }
}

/**
 * A test that needs these programs; without them it is skipped, and its name says why.
 *
 * @param program One more that it needs, which no package of Python brings. @default {none}
 */
export async function cloudTest(
  name: string,
  fn: (bin: string, t: Deno.TestContext) => Promise<void>,
  program?: string,
): Promise<void> {
  const env = await pythonEnv();
  const missing = "missing" in env ? env.missing : program && await whyMissing(program);
  if ("bin" in env && !missing) Deno.test(name, (t) => fn(env.bin, t));
  else Deno.test({ name: `${name} (skipped: ${missing})`, ignore: true, fn() {} });
}
