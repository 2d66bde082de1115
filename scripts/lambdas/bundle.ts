import { childEnvironment } from "../child_environment.ts";

/**
 * Bundles a module with all that it imports into one file of JavaScript.
 *
 * @param module Path from the project's root.
 * @throws {Error} With what the bundler says.
 */
export async function bundle(module: string): Promise<Uint8Array> {
  const root = new URL("../../", import.meta.url);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--minify", "--platform=deno", "--no-remote", module],
    cwd: root,
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`Cannot bundle ${module}: ${new TextDecoder().decode(stderr).trim()}`);
  return stdout;
}
