import { bundle } from "../bundle.ts";
import { type Architecture, denoBinary } from "./deno_binary.ts";
import { zip } from "./zip.ts";

/** The functions of lambdas/. */
export const FUNCTIONS = ["wake", "query", "sleep", "kill"] as const;

/** One of {@linkcode FUNCTIONS}. */
export type FunctionName = typeof FUNCTIONS[number];

/** Paths of archives as Lambda takes them. */
export interface LambdaPackages {
  /** The runtime: `bootstrap`, `deno` and `runtime.js`, which Lambda unpacks in /opt. */
  readonly layer: string;
  /** Each with its `handler.js`. */
  readonly functions: Readonly<Record<FunctionName, string>>;
}

/** What is packed, and where to. */
export interface PackageOptions {
  readonly arch: Architecture;
  /** Made when it is missing; archives in it are replaced. */
  readonly outDir: string;
}

/**
 * Packs the runtime and the functions. The same sources give the same bytes.
 * @throws {Error} When Deno cannot be fetched, or something cannot be bundled or written.
 */
export async function packageLambdas({ arch, outDir }: PackageOptions): Promise<LambdaPackages> {
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
