import { explain } from "../../shared/cli/terminal.ts";

/** Prints one line about the progress of a command. */
export type Print = (line: string) => void;

/**
 * Runs steps in order, and continues after one that fails.
 *
 * @param doing What the steps do, for the message: `remove "mine"`.
 * @throws {Error} After the last step, with the errors of all failed steps.
 */
export async function runAllSteps(doing: string, steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) await step().catch((error) => errors.push(error));
  if (errors.length === 0) return;
  throw new Error(`Cannot ${doing}: ${errors.map(explain).join("; ")}`);
}
