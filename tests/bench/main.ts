/**
 * `deno task bench`: compares this build with others, and prints the tables for `docs/performance.md`. Exit code 1
 * when a run failed; figures are never judged.
 */
import { runProgram } from "../../shared/cli/run_program.ts";
import { terminal } from "../../shared/cli/terminal.ts";
import { enterUserDirectory } from "../../shared/cli/user_directory.ts";
import { benchCommand, type BenchOptions } from "./options.ts";
import type { BenchResult } from "./results.ts";
import { ROWS } from "./rows.ts";
import { runBench } from "./run.ts";
import { tablesOf } from "./table.ts";
import { announceDownload } from "../../scripts/process/downloads.ts";

/** What ends a benchmark early. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

async function bench(options: BenchOptions): Promise<void> {
  if (options.list) return list(options);
  announceDownload("work");
  enterUserDirectory();
  const result = await untilSignal((signal) =>
    runBench(options, { signal, print: (line) => terminal.err(`${line}\n`) })
  );
  terminal.out(tablesOf(result));
  if (options.json !== undefined) {
    await Deno.writeTextFile(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
  }
  if (hasErrors(result)) throw new Error("runs failed: see below the tables");
}

function list({ rows }: BenchOptions): void {
  for (const { path } of rows) terminal.out(`path ${path.id.padEnd(10)} ${path.title}\n`);
  for (const row of ROWS) {
    if (rows.some((selection) => selection.rows.includes(row))) {
      terminal.out(`row  ${row.id.padEnd(10)} ${row.title}: ${row.metrics.join(", ")}\n`);
    }
  }
}

/** Runs `action`, and ends it at Ctrl-C or SIGTERM. */
async function untilSignal<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(new Error("interrupted"));
  for (const name of SIGNALS) Deno.addSignalListener(name, abort);
  try {
    return await action(controller.signal);
  } catch (error) {
    // What fails after a signal fails because of it: the programs get it too.
    controller.signal.throwIfAborted();
    throw error;
  } finally {
    for (const name of SIGNALS) Deno.removeSignalListener(name, abort);
  }
}

function hasErrors({ paths }: BenchResult): boolean {
  return paths.some(({ rows }) =>
    rows.some(({ measured }) => Object.values(measured).some(({ errors }) => errors.length > 0))
  );
}

Deno.exitCode = await runProgram(benchCommand(bench), Deno.args, terminal);
