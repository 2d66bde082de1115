import { childEnvironment } from "./child_environment.ts";
import { checkEsbuild, findDenoDir } from "./esbuild.ts";

/**
 * Bundles a module with all that it imports into one file of JavaScript.
 *
 * @param module Path from the project's root.
 * @param minify Whether names and blanks are made short; where memory counts, and nobody reads stack traces.
 * @throws {Error} With what the bundler says, or when the bundler is not the one that is pinned.
 */
export async function bundle(module: string, { minify = false } = {}): Promise<Uint8Array> {
  const root = new URL("../", import.meta.url);
  const denoDir = await findDenoDir();
  await checkEsbuild(denoDir);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", ...minify ? ["--minify"] : [], "--platform=deno", "--no-remote", module],
    cwd: root,
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`Cannot bundle ${module}: ${new TextDecoder().decode(stderr).trim()}`);
  // It was downloaded just now if there was none before.
  if (await checkEsbuild(denoDir) === 0) {
    throw new Error(`Cannot bundle ${module}: scripts/esbuild.ts pins another version than this Deno uses`);
  }
  return stdout;
}
