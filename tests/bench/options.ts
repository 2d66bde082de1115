import { Command, InvalidArgumentError } from "commander";
import { type Selection, selectRows } from "./rows.ts";

/** The peers by their name on the command line. */
export const PEERS = ["ssh", "stunnel"] as const;

/** What a benchmark does. */
export interface BenchOptions {
  readonly rows: readonly Selection[];
  /** Runs of each row that count; one more before them does not. */
  readonly runs: number;
  /** Seconds of a run at most. */
  readonly seconds: number;
  /** Megabytes of a run at most. */
  readonly mb: number;
  readonly peers: readonly (typeof PEERS)[number][];
  /** The folder of another checkout to compare with. */
  readonly against?: string;
  /** A file for everything that was measured. */
  readonly json?: string;
  /** Whether the rows are only printed. */
  readonly list?: boolean;
}

/** The options as they were given: without rows for all of them. */
type Given = Omit<BenchOptions, "rows"> & Partial<Pick<BenchOptions, "rows">>;

/** The command line of `deno task bench`. */
export function benchCommand(action: (options: BenchOptions) => Promise<void>): Command {
  return new Command("bench").description(
    "Measures the tunnel and others, with runs in turn, and prints tables",
  )
    .allowExcessArguments(false)
    .option("--rows <list>", "rows, paths, or path/row, with commas between; all by default", rows)
    .option("--runs <count>", "runs of each row that count", atMost(100), 5)
    .option("--seconds <seconds>", "the longest that a run lasts", seconds, 3)
    .option("--mb <megabytes>", "the most that a run transfers", atMost(10_000), 512)
    .option("--peers <list>", "what to compare it with: ssh, stunnel, or none", peers, [...PEERS])
    .option("--against <folder>", "measure another checkout of this project too")
    .option("--json <file>", "write everything that was measured to this file")
    .option("--list", "print rows and paths, and measure nothing")
    .action((given: Given) => action({ ...given, rows: given.rows ?? selectRows("") }));
}

function rows(text: string): Selection[] {
  try {
    return selectRows(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function atMost(max: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= max) return count;
    throw new InvalidArgumentError(`a whole number from 1 to ${max} is expected`);
  };
}

function seconds(text: string): number {
  const count = Number(text);
  if (count >= 0.1 && count <= 60) return count;
  throw new InvalidArgumentError("a number from 0.1 to 60 is expected");
}

function peers(text: string): BenchOptions["peers"] {
  if (text === "none") return [];
  return text.split(",").map((word) => {
    const peer = PEERS.find((each) => each === word.trim());
    if (peer === undefined) {
      throw new InvalidArgumentError(`no peer "${word}": ssh, stunnel or none is expected`);
    }
    return peer;
  });
}
