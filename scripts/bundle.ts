import { childEnvironment } from "./child_environment.ts";
import { findDenoDir, provideEsbuild } from "./esbuild.ts";

/** A proxy that refuses every connection, so that a program downloads nothing. */
const NO_NETWORK = Object.fromEntries(
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()])
    .map((name) => [name, "http://127.0.0.1:1"]),
);

/**
 * Bundles a module with all that it imports into one file of JavaScript. The bundler is checked before it runs, and
 * Deno has no network while it bundles: it could only run another bundler.
 *
 * @param module Path from the project's root.
 * @param minify Whether names and blanks are made short; where memory counts, and nobody reads stack traces.
 * @throws {Error} With what the bundler says, or when the bundler is not the one that is pinned.
 */
export async function bundle(module: string, { minify = false } = {}): Promise<Uint8Array> {
  await provideEsbuild(await findDenoDir());
  const env = { ...childEnvironment(), NO_COLOR: "1" };
  await deno(module, ["install", "--quiet", "--entrypoint", module], env); // deno.lock checks what this downloads
  const flags = ["--quiet", ...minify ? ["--minify"] : [], "--platform=deno", "--no-remote"];
  return await deno(module, ["bundle", ...flags, module], {
    ...env,
    ...NO_NETWORK,
    NO_PROXY: "",
    no_proxy: "",
  });
}

async function deno(module: string, args: string[], env: Record<string, string>): Promise<Uint8Array> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: new URL("../", import.meta.url),
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return stdout;
  throw new Error(`Cannot bundle ${module}: ${args[0]}: ${new TextDecoder().decode(stderr).trim()}`);
}
