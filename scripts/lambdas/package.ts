import { type Zippable, zipSync } from "fflate";
import { bundle } from "../build/bundle.ts";
import { type Architecture, denoBinary } from "./deno_binary.ts";

/** The functions of lambdas/. */
export const FUNCTIONS = ["wake", "query", "sleep", "kill"] as const;

/** One of {@linkcode FUNCTIONS}. */
export type FunctionName = typeof FUNCTIONS[number];

/** Paths of the archives for Lambda. */
export interface LambdaPackages {
  /** The runtime layer: `bootstrap`, `deno` and `runtime.js`, which Lambda unpacks in /opt. */
  readonly layer: string;
  /** Each contains a `handler.js`. */
  readonly functions: Readonly<Record<FunctionName, string>>;
}

/** What to pack, and where. */
export interface PackageInit {
  readonly arch: Architecture;
  /** Created if missing; archives in it are replaced. */
  readonly outDir: string;
}

/**
 * Packs the runtime and the functions. The same sources produce the same bytes.
 *
 * @throws {Error} When Deno cannot be fetched, or a bundle cannot be made or written.
 */
export async function packageLambdas({ arch, outDir }: PackageInit): Promise<LambdaPackages> {
  await Deno.mkdir(outDir, { recursive: true });
  const layer = `${outDir}/layer-${arch}.zip`;
  const bootstrap = await Deno.readFile(new URL("../../lambdas/runtime/bootstrap", import.meta.url));
  const deno = await denoBinary(arch);
  const runtime = await bundle("lambdas/runtime/main.ts", { minify: true });
  await Deno.writeFile(
    layer,
    zip({
      bootstrap: { bytes: bootstrap, executable: true },
      deno: { bytes: deno, executable: true },
      "runtime.js": { bytes: runtime },
    }),
  );
  const functions: Partial<Record<FunctionName, string>> = {};
  for (const name of FUNCTIONS) functions[name] = await packFunction(name, outDir);
  return { layer, functions: functions as LambdaPackages["functions"] };
}

async function packFunction(name: FunctionName, outDir: string): Promise<string> {
  const path = `${outDir}/${name}.zip`;
  await Deno.writeFile(
    path,
    zip({ "handler.js": { bytes: await bundle(`lambdas/${name}.ts`, { minify: true }) } }),
  );
  return path;
}

/** A file of an archive. */
interface Entry {
  readonly bytes: Uint8Array;
  /** Whether it is executable. @default false */
  readonly executable?: boolean;
}

/** A fixed time for all files: the same files must produce the same bytes, so that nothing is uploaded twice. */
const MTIME = new Date("2000-01-01T00:00:00");
const UNIX = 3;

/** Makes a ZIP archive: the same bytes for the same entries. */
function zip(entries: Readonly<Record<string, Entry>>): Uint8Array {
  const files: Zippable = {};
  for (const [name, { bytes, executable = false }] of Object.entries(entries)) {
    const mode = executable ? 0o100755 : 0o100644;
    files[name] = [bytes, { mtime: MTIME, os: UNIX, attrs: mode * 0x10000, level: 6 }];
  }
  return zipSync(files);
}
