import fc from "fast-check";
import { readRegressions, type Regression, storeRegression } from "./fuzz_regressions.ts";

/** Cases of all fuzz tests together, by what they say of their share; CI has to run 100,000. */
const CI_CASES = 120_000;
/** Elsewhere a look at each is enough: it is CI that searches. */
const LOCAL_CASES = CI_CASES / 10;

/** How a fuzz test is run. */
export interface FuzzOptions {
  /** Its part of all cases, 0 to 1: the cheaper a case, the more of them. The shares of all tests sum up to about 1. */
  share: number;
  /** Where regressions are. @default {tests/fuzz/regressions} */
  dir?: string;
}

/** Arbitraries for the values of a property, in order. */
export type Arbitraries<Values extends unknown[]> = { [K in keyof Values]: fc.Arbitrary<Values[K]> };

/**
 * Registers a fuzz test: `property` has to hold, which means not to throw, for whatever the arbitraries make. The
 * cases that once failed come first, from `tests/fuzz/regressions`. A new failure is printed with its seed and
 * stored there, to be committed together with what mends it.
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
    tell(`fuzz: ${details.numRuns + regressions.length} cases of ${name}\n`);
    if (!details.failed) return;
    const { seed, counterexamplePath: path, counterexample } = details;
    const where = await storeRegression(name, { seed, path: path ?? "", counterexample }, options.dir);
    throw new Error(`${where}\n${await fc.asyncDefaultReportMessage(details)}`);
  });
}

/** Runs what failed once: the values themselves where they were stored, else what the seed makes now. */
async function replay<Values extends [unknown, ...unknown[]]>(
  property: fc.IAsyncProperty<Values>,
  { seed, path, counterexample }: Regression,
): Promise<void> {
  const values = counterexample as Values | undefined;
  const how = values === undefined ? { path } : { examples: [values] };
  await fc.assert(property, { seed, numRuns: 1, endOnFailure: true, ...how });
}

/** To the terminal, where `deno task test` adds the numbers up. */
function tell(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
