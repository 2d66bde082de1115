import assert from "node:assert/strict";

/** A case that failed before. */
export interface Regression {
  /** Seed and path by which fast-check finds it again, as long as the arbitraries stay the same. */
  readonly seed: number;
  readonly path: string;
  /** The values themselves, if JSON can represent them; they stay valid. */
  readonly counterexample?: unknown;
}

const DIR = `${import.meta.dirname}/../../fuzz/regressions`;

/** Reads the failed cases of a test, the oldest first. */
export async function readRegressions(name: string, dir: string = DIR): Promise<Regression[]> {
  try {
    return JSON.parse(await Deno.readTextFile(fileOf(name, dir)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new Error(`Cannot read regressions of "${name}": ${error}`, { cause: error });
  }
}

/**
 * Adds a case to the file of its test.
 *
 * @returns Where it is stored, or why it is not: the test fails in either case.
 */
export async function storeRegression(name: string, failed: Regression, dir: string = DIR): Promise<string> {
  const file = fileOf(name, dir);
  try {
    const stored = [...await readRegressions(name, dir), writable(failed)];
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeTextFile(file, `${JSON.stringify(stored, undefined, 2)}\n`);
    return `Stored in ${file}, seed ${failed.seed}, path ${failed.path}: commit it with the fix`;
  } catch (error) {
    return `Cannot store seed ${failed.seed}, path ${failed.path}, in ${file}: ${error}`;
  }
}

function fileOf(name: string, dir: string): string {
  return `${dir}/${name.replaceAll(/[^A-Za-z0-9]+/g, "_")}.json`;
}

/** Leaves out values that would change in JSON. */
function writable({ seed, path, counterexample }: Regression): Regression {
  try {
    assert.deepEqual(JSON.parse(JSON.stringify(counterexample)), counterexample);
    return { seed, path, counterexample };
  } catch {
    return { seed, path };
  }
}
