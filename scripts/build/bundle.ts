import { relative } from "node:path";
import { childEnvironment } from "../process/child_environment.ts";
import { findDenoDir, provideEsbuild } from "./esbuild.ts";
import { NO_NODE_MODULES } from "../process/task_command.ts";

const ROOT = new URL("../../", import.meta.url);

/** Proxy settings with which every connection fails, so that a program downloads nothing. */
const NO_NETWORK = Object.fromEntries(
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()])
    .map((name) => [name, "http://127.0.0.1:1"]),
);

/**
 * Bundles a module with everything it imports into one JavaScript file. The bundler is checked before it runs, and
 * Deno has no network meanwhile, since it could only download another bundler. The same sources give the same bytes
 * on every machine.
 *
 * @param module Path from the project's root.
 * @param minify Shortens names and white space: for programs whose memory matters and whose stack traces nothing reads.
 * @throws {Error} With the bundler's output, or when the bundler is not the pinned one.
 */
export async function bundle(module: string, { minify = false } = {}): Promise<Uint8Array> {
  const denoDir = await findDenoDir();
  await provideEsbuild(denoDir);
  const env = { ...childEnvironment(), NO_COLOR: "1" };
  await deno(module, ["install", "--quiet", NO_NODE_MODULES, "--entrypoint", module], env); // deno.lock checks what this downloads
  const flags = ["--quiet", NO_NODE_MODULES, ...minify ? ["--minify"] : [], "--platform=deno", "--no-remote"];
  const bundled = await deno(module, ["bundle", ...flags, module], {
    ...env,
    ...NO_NETWORK,
    NO_PROXY: "",
    no_proxy: "",
  });
  return withoutCache(bundled, await Deno.realPath(denoDir));
}

/** Replaces cache paths of this machine by `npm:` in comments and module names. */
function withoutCache(bundled: Uint8Array, denoDir: string): Uint8Array {
  const cache = relative(Deno.realPathSync(ROOT), `${denoDir}/npm`).replaceAll("\\", "/");
  const packages = new RegExp(`${RegExp.escape(cache)}/[^/"\\s]+/`, "g");
  return new TextEncoder().encode(new TextDecoder().decode(bundled).replaceAll(packages, "npm:"));
}

async function deno(module: string, args: string[], env: Record<string, string>): Promise<Uint8Array> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
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
