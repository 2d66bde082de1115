/**
 * `deno task soak --minutes 3`: all kinds of traffic through the real programs while servers are killed, agents
 * restarted and connections cut, and then the judgement: exit code 1 when a byte, a stream, a descriptor or a
 * port is not as it should be.
 */
import { Command, InvalidArgumentError } from "commander";
import { runSoak } from "./soak/run.ts";

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (minutes > 0 && minutes <= 10_000) return minutes;
  throw new InvalidArgumentError(`Minutes are not a number above 0: ${text}`);
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`Seed is not a whole number: ${text}`);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const command = new Command("soak").description(
  "Traffic of all kinds while everything breaks, with a judgement",
)
  .allowExcessArguments(false)
  .option("--minutes <minutes>", "how long", parseMinutes, 3)
  .option("--seed <seed>", "repeats the choices of a run; random by default", parseSeed);
command.parse(Deno.args, { from: "user" });
const { minutes, seed = crypto.getRandomValues(new Uint32Array(1))[0]! } = command.opts<{
  minutes: number;
  seed?: number;
}>();

say(`soak of ${minutes} minutes, seed ${seed}`);
const problems = await runSoak({ minutes, seed, say });
for (const problem of problems) say(`wrong: ${problem}`);
say(
  problems.length === 0
    ? "all is well"
    : `${problems.length} problems; repeat the choices with --seed ${seed}`,
);
Deno.exitCode = problems.length === 0 ? 0 : 1;
