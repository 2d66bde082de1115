import assert from "node:assert/strict";
import { runProgram } from "../../shared/cli/run_program.ts";
import { benchCommand, type BenchOptions } from "./options.ts";
import { PATHS, ROWS } from "./rows.ts";

/** Parses a command line; returns the options, and what it wrote. */
async function parse(...args: string[]): Promise<{ options?: BenchOptions; code: number; said: string }> {
  let options: BenchOptions | undefined;
  let said = "";
  const say = (text: string) => void (said += text);
  const command = benchCommand((given) => {
    options = given;
    return Promise.resolve();
  });
  const code = await runProgram(command, args, { out: say, err: say });
  return { ...options === undefined ? {} : { options }, code, said };
}

/** The rows of a command line as "path/row". */
async function rowsOf(list: string): Promise<string[]> {
  const { options } = await parse("--rows", list);
  return options!.rows.flatMap(({ path, rows }) => rows.map(({ id }) => `${path.id}/${id}`));
}

Deno.test("all rows run on all paths by default, with all peers", async () => {
  const { options } = await parse();
  assert.deepEqual(options!.rows, PATHS.map((path) => ({ path, rows: ROWS })));
  assert.deepEqual(options!.peers, ["ssh", "stunnel"]);
  assert.equal(options!.against, undefined);
});

Deno.test("rows and paths are combined, and a row on one path adds to them", async () => {
  assert.deepEqual(await rowsOf("gets1"), PATHS.map(({ id }) => `${id}/gets1`));
  assert.deepEqual(await rowsOf("loss"), ROWS.map(({ id }) => `loss/${id}`));
  assert.deepEqual(await rowsOf("delay, down1,up1"), ["delay/down1", "delay/up1"]);
  assert.deepEqual(await rowsOf("queue/mixed"), ["queue/mixed"]);
  assert.deepEqual(await rowsOf("queue/mixed,delay,up1"), ["delay/up1", "queue/mixed"]);
});

Deno.test("numbers, peers and another checkout are read", async () => {
  const { options } = await parse(
    ..."--runs 3 --seconds 0.5 --mb 8 --peers none --against ../old".split(" "),
  );
  const { runs, seconds, mb, peers, against } = options!;
  assert.deepEqual({ runs, seconds, mb, peers, against }, {
    runs: 3,
    seconds: 0.5,
    mb: 8,
    peers: [],
    against: "../old",
  });
});

for (
  const [args, said] of [
    ["--rows gets2", /no row or path "gets2"; --list prints them/],
    ["--rows loss/loss", /no row or path "loss\/loss"/],
    ["--runs 0", /a whole number from 1 to 100 is expected/],
    ["--seconds 61", /a number from 0.1 to 60 is expected/],
    ["--mb 1.5", /a whole number from 1 to 10000 is expected/],
    ["--peers chisel", /no peer "chisel": ssh, stunnel or none is expected/],
  ] as const
) {
  Deno.test(`the command line ${args} is refused`, async () => {
    const result = await parse(...args.split(" "));
    assert.equal(result.code, 2);
    assert.match(result.said, said);
    assert.equal(result.options, undefined);
  });
}
