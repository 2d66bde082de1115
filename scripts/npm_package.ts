import { childEnvironment } from "./child_environment.ts";

/**
 * Fetches one file of an npm package. No script of the package runs, and nothing of it is installed.
 *
 * @param pinned Name and version, such as `@esbuild/linux-x64@0.25.5`.
 * @param path The file in the package, such as `bin/esbuild`.
 * @param checkArchive Throws when the archive is not the expected one; called before it is unpacked.
 * @throws {Error} When npm cannot fetch the package, `checkArchive` throws, or the package has no such file.
 */
export async function fileOfNpmPackage(
  pinned: string,
  path: string,
  checkArchive: (archive: Uint8Array<ArrayBuffer>) => void | Promise<void> = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir({ prefix: "sallyport_npm_" });
  try {
    const fetched = await run("npm", ["pack", pinned, "--json", "--silent", "--ignore-scripts"], folder);
    const [{ filename }] = JSON.parse(new TextDecoder().decode(fetched));
    await checkArchive(await Deno.readFile(`${folder}/${filename}`));
    return await run("tar", ["-xzOf", filename, `package/${path}`], folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(program: string, args: readonly string[], cwd: string): Promise<Uint8Array<ArrayBuffer>> {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: childEnvironment(),
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return stdout;
  throw new Error(`Cannot run ${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}
