import { explain } from "../../shared/cli/explain.ts";

/**
 * Runs steps in order, also those after one that fails.
 *
 * @param doing What they do, for the message: `remove "mine"`.
 * @throws {Error} After the last step, with what each failed step says.
 */
export async function allSteps(doing: string, steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error) => failures.push(error));
  if (failures.length === 0) return;
  throw new Error(`Cannot ${doing}: ${failures.map(explain).join("; ")}`);
}
