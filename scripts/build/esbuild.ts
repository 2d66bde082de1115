import { childEnvironment } from "../process/child_environment.ts";
import { NO_NODE_MODULES } from "../process/task_command.ts";

/** The version of esbuild that this version of `deno bundle` runs. */
const VERSION = "0.25.5";
/** Where Deno looks for it in its cache before it downloads it. */
const FOLDER = `dl/esbuild-${VERSION}-1`;
/**
 * SHA-256 of its program in the npm packages `@esbuild/PLATFORM`, by platform. deno.lock cannot pin them, since Deno
 * does not use it for its own tools.
 */
const PROGRAMS: Readonly<Record<string, string>> = {
  "darwin-arm64": "58d144357454bca840167171380785b133b1e5e682d0c51afa8c80158bfd3f8a",
  "darwin-x64": "e7b2a105f88836f1e080a76180e5cd8e59d1c22f6575d63f5a77a104954c427e",
  "linux-arm64": "d6d656d9326ce1c55c01f73604a3cffda35c63cce60016e9ed795ac91cd1e67d",
  "linux-x64": "3331e0b23c99d93d9a39e436a4838de40ca1c95ac3bcbd9874ba169d8545b634",
  "win32-arm64": "34dd62536675871311e6e0d2bf9917f5671f3ecee695205dc4eaf649947348e7",
  "win32-x64": "889543031385fb79a28b09a5611a3a03f913beb5a608c7de29390c13f1030994",
};

/**
 * Makes sure that `deno bundle` finds the pinned esbuild in Deno's cache, so that it downloads none. A missing one is
 * fetched from npm and checked before it is stored; it never runs unchecked.
 *
 * @param denoDir Deno's cache folder, from {@linkcode findDenoDir}.
 * @throws {Error} When it cannot be fetched, or an esbuild differs from its pin or has none.
 */
export async function provideEsbuild(denoDir: string): Promise<void> {
  await checkEsbuild(denoDir);
  const platform = `${OS_NAMES[Deno.build.os] ?? Deno.build.os}-${
    Deno.build.arch === "aarch64" ? "arm64" : "x64"
  }`;
  const isWindows = Deno.build.os === "windows";
  const folder = `${denoDir}/${FOLDER}`;
  const path = `${folder}/esbuild-${platform}${isWindows ? ".exe" : ""}`;
  if ((await namesIn(folder)).some((name) => path === `${folder}/${name}`)) return; // checked above
  const pinned = `@esbuild/${platform}@${VERSION}`;
  const program = await fileOfNpm(pinned, isWindows ? "esbuild.exe" : "bin/esbuild");
  await check(program, platform, `the program of npm package ${pinned}`);
  await Deno.mkdir(folder, { recursive: true });
  const partial = await Deno.makeTempFile({ dir: folder, prefix: "partial_" });
  try {
    await Deno.writeFile(partial, program);
    if (!isWindows) await Deno.chmod(partial, 0o755);
    await Deno.rename(partial, path);
  } catch (error) {
    await Deno.remove(partial);
    throw error;
  }
}

/** Names of operating systems where npm's differ from Deno's. */
const OS_NAMES: Readonly<Record<string, string>> = { windows: "win32" };

/**
 * Checks every esbuild of that version in Deno's cache against its pinned content.
 *
 * @param denoDir Deno's cache folder, from {@linkcode findDenoDir}.
 * @returns How many there are: none before Deno's first bundle.
 * @throws {Error} When one differs, or is for a platform that has no pin.
 */
export async function checkEsbuild(denoDir: string): Promise<number> {
  let checked = 0;
  for (const folder of await namesIn(`${denoDir}/dl`)) {
    // A suffix is the version of Deno's storage format.
    if (!folder.startsWith(`esbuild-${VERSION}`)) continue;
    for (const file of await namesIn(`${denoDir}/dl/${folder}`)) {
      const platform = /^esbuild-([a-z0-9]+-[a-z0-9]+)(\.exe)?$/.exec(file)?.[1];
      if (platform === undefined) continue; // an unfinished download
      const path = `${denoDir}/dl/${folder}/${file}`;
      await check(await Deno.readFile(path), platform, path);
      checked++;
    }
  }
  return checked;
}

/** Finds Deno's cache folder. @throws {Error} When Deno does not report it. */
export async function findDenoDir(): Promise<string> {
  return JSON.parse(await deno(["info", "--json"])).denoDir;
}

/** Makes Deno download an npm package into a temporary cache, without running any of it; returns one of its files. */
async function fileOfNpm(pinned: string, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const DENO_DIR = await Deno.makeTempDir({ prefix: "sallyport_npm_" });
  try {
    // deno.lock does not cover Deno's own tools; the pins above do.
    const options = ["--quiet", "--no-config", "--no-lock", NO_NODE_MODULES];
    await deno(["cache", ...options, `npm:${pinned}`], { DENO_DIR });
    const end = `/${pinned.replace(/@(?=[^@]+$)/, "/")}/${file}`;
    const path = await findFile(`${DENO_DIR}/npm`, end);
    if (path === undefined) throw new Error(`Cannot use npm package ${pinned}: it has no ${file}`);
    return await Deno.readFile(path);
  } finally {
    await Deno.remove(DENO_DIR, { recursive: true });
  }
}

/** Finds the file below a folder whose path ends with `end`. */
async function findFile(folder: string, end: string): Promise<string | undefined> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const found = isDirectory ? await findFile(path, end) : path.endsWith(end) ? path : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

async function deno(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { ...childEnvironment(), NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot run deno ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}

async function check(program: Uint8Array<ArrayBuffer>, platform: string, what: string): Promise<void> {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", program)).toHex();
  const pinned = PROGRAMS[platform];
  if (found === pinned) return;
  throw new Error(
    `Cannot trust ${what}: its SHA-256 is ${found}, scripts/build/esbuild.ts pins ${
      pinned ?? "none"
    } for ${platform}; remove it and find out where it came from`,
  );
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
