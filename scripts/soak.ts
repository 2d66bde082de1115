/**
 * `deno task soak --minutes 3`: traffic of all kinds through the real programs while servers are killed, agents
 * restarted, paths silent, and one connection after another is cut. Exit code 1 when a byte was wrong, a stream did not
 * survive what happened to the path alone, or a stream, descriptor or port is left over.
 */
import { Command, InvalidArgumentError } from "commander";
import { runProgram } from "../shared/cli/run_program.ts";
import { terminal } from "../shared/cli/terminal.ts";
import { countOf } from "../shared/text/count_of.ts";
import { announceDownload } from "./process/downloads.ts";
import { runSoak } from "./soak/run.ts";

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (minutes > 0 && minutes <= 10_000) return minutes;
  throw new InvalidArgumentError("a number above 0 is expected");
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number is expected");
}

function print(line: string): void {
  terminal.out(`${line}\n`);
}

const program = new Command("soak").description(
  "Runs traffic of all kinds while everything breaks, and checks it",
)
  .allowExcessArguments(false)
  .option("--minutes <minutes>", "how long", parseMinutes, 3)
  .option("--seed <seed>", "repeats the choices of a run; random by default", parseSeed)
  .action(async ({ minutes, seed: given }: { minutes: number; seed?: number }) => {
    const seed = given ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
    announceDownload("work");
    print(`soak of ${minutes} minutes, seed ${seed}`);
    const problems = await runSoak({ minutes, seed, print });
    for (const problem of problems) print(`wrong: ${problem}`);
    if (problems.length === 0) return print("no problems found");
    throw new Error(`${countOf(problems.length, "problem")}; repeat the choices with --seed ${seed}`);
  });

Deno.exitCode = await runProgram(program, Deno.args, terminal);
