import { fileExists } from "../../../shared/config/config_file.ts";
import { whyMissing } from "../tools.ts";
const ROOT = new URL("../../../", import.meta.url);
const REQUIREMENTS = new URL("tests/cloud/requirements.txt", ROOT);
/** Milliseconds for installing the packages. */
const INSTALL_TIMEOUT = 300_000;

/** Python programs of the cloud tests, in a virtual environment; or why they are missing. */
type PythonEnv = { readonly bin: string } | { readonly missing: string };

let made: Promise<PythonEnv> | undefined;

/**
 * The AWS emulators in the versions of requirements.txt. They are installed once, into an ignored folder of the
 * repository, and reused until requirements.txt changes.
 */
function pythonEnv(): Promise<PythonEnv> {
  return made ??= make();
}

async function make(): Promise<PythonEnv> {
  const pins = await Deno.readFile(REQUIREMENTS);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", pins)).toHex().slice(0, 16);
  const folder = decodeURIComponent(new URL(`.venv/${digest}`, ROOT).pathname);
  const done = `${folder}/complete`;
  if (await fileExists(done)) return { bin: `${folder}/bin` };
  const python = await run("python3", ["-m", "venv", "--clear", folder]);
  if (python !== undefined) return { missing: `no Python 3 with venv here: ${python}` };
  const installed = await run(`${folder}/bin/pip`, [
    "install",
    "--quiet",
    // Only pinned versions and hashes. Only wheels: build tools for source packages are not pinned.
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

/** Runs a program; returns the error. */
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
 * Registers a test that needs these programs; without them it is skipped, with the reason in its name.
 *
 * @param program Another required program, which is not a Python package. @default {none}
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
