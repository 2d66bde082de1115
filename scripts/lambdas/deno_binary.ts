import { z } from "zod";
import { childEnvironment } from "../process/child_environment.ts";

/** Processor architectures, in the terms of Lambda and Fargate. */
export const ARCHITECTURES = ["arm64", "x86_64"] as const;

/** One of {@linkcode ARCHITECTURES}. */
export type Architecture = typeof ARCHITECTURES[number];

const PACKAGES = { arm64: "@deno/linux-arm64-glibc", x86_64: "@deno/linux-x64-glibc" } as const;

/**
 * Fetches Deno for any processor architecture from the npm package that deno.lock pins.
 *
 * @returns The program.
 * @throws {Error} When the package is not available, or its integrity differs from deno.lock.
 */
export async function denoBinary(architecture: Architecture): Promise<Uint8Array> {
  const { pinned, integrity } = await pinOf(PACKAGES[architecture]);
  const folder = await Deno.makeTempDir({ prefix: "sallyport_deno_" });
  try {
    const fetched = await run("npm", ["pack", pinned, "--json", "--silent"], folder);
    const [{ filename }] = JSON.parse(new TextDecoder().decode(fetched));
    const digest = await crypto.subtle.digest("SHA-512", await Deno.readFile(`${folder}/${filename}`));
    const found = `sha512-${new Uint8Array(digest).toBase64()}`;
    if (found !== integrity) {
      throw new Error(
        `Cannot use ${pinned}: its integrity is ${found}, deno.lock says ${integrity}`,
      );
    }
    await run("tar", ["-xzf", filename, "package/deno"], folder);
    return await Deno.readFile(`${folder}/package/deno`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const LOCK = z.object({ npm: z.record(z.string(), z.object({ integrity: z.string().optional() })) });

/** Name with version, and integrity, from deno.lock; deno.json lists these packages for this purpose. */
async function pinOf(name: string): Promise<{ pinned: string; integrity: string }> {
  const { npm } = LOCK.parse(
    JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url))),
  );
  const pinned = Object.keys(npm).find((key) => key.startsWith(`${name}@`));
  const integrity = pinned && npm[pinned]?.integrity;
  if (!pinned || !integrity) throw new Error(`Cannot fetch Deno: deno.lock has no integrity for ${name}`);
  return { pinned, integrity };
}

async function run(program: string, args: readonly string[], cwd: string): Promise<Uint8Array> {
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
