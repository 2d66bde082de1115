import fc from "fast-check";
import { readRegressions, type Regression, storeRegression } from "./fuzz_regressions.ts";
import { terminal } from "../../../shared/cli/terminal.ts";

/** Cases of all fuzz tests together, divided by their shares; CI has to run 100,000. */
const CI_CASES = 120_000;
/** Elsewhere a few of each are enough: CI does the search. */
const LOCAL_CASES = CI_CASES / 10;

/** Options of a fuzz test. */
export interface FuzzOptions {
  /** Its share of all cases, 0 to 1: the cheaper a case, the more of them. All shares add up to about 1. */
  share: number;
  /** Folder of regressions. @default {tests/fuzz/regressions} */
  dir?: string;
}

/** Arbitraries for the values of a property, in order. */
export type Arbitraries<Values extends unknown[]> = { [K in keyof Values]: fc.Arbitrary<Values[K]> };

/**
 * Registers a fuzz test: `property` must not throw for any values that the arbitraries generate. Cases that failed
 * before run first, from `tests/fuzz/regressions`. A new failing case is printed with its seed and stored there, to be
 * committed together with the fix.
 *
 * @param name The test's name, "subject does something".
 */
export function fuzz<Values extends [unknown, ...unknown[]]>(
  name: string,
  arbitraries: Arbitraries<Values>,
  property: (...values: Values) => void | Promise<void>,
  options: FuzzOptions,
): void {
  const numRuns = Math.ceil(options.share * (Deno.env.get("CI") === "true" ? CI_CASES : LOCAL_CASES));
  Deno.test(name, async () => {
    const checked = fc.asyncProperty<Values>(...arbitraries, async (...values) => await property(...values));
    const regressions = await readRegressions(name, options.dir);
    for (const regression of regressions) await replay(checked, regression);
    const details = await fc.check(checked, { numRuns });
    // `deno task test` adds these numbers up.
    terminal.out(`fuzz: ${details.numRuns + regressions.length} cases of ${name}\n`);
    if (!details.failed) return;
    const { seed, counterexamplePath: path, counterexample } = details;
    const where = await storeRegression(name, { seed, path: path ?? "", counterexample }, options.dir);
    const report = await fc.asyncDefaultReportMessage(details);
    throw new Error(`${where}\n${report}`, { cause: details.errorInstance });
  });
}

/** Runs a case that failed before: with the stored values, or else with those that the seed generates now. */
async function replay<Values extends [unknown, ...unknown[]]>(
  property: fc.IAsyncProperty<Values>,
  { seed, path, counterexample }: Regression,
): Promise<void> {
  const values = counterexample as Values | undefined;
  const how = values === undefined ? { path } : { examples: [values] };
  await fc.assert(property, { seed, numRuns: 1, endOnFailure: true, ...how });
}
