/** Purpose: the benchmarks run from end to end, and leave nothing behind. What they measure is not judged. */
import assert from "node:assert/strict";
import { selectRows } from "./rows.ts";
import { runBench } from "./run.ts";

const OPTIONS = { runs: 1, seconds: 0.3, mb: 50, peers: [] } as const;

Deno.test("a row is measured through a real agent and server", async () => {
  const lines: string[] = [];
  const result = await runBench({ ...OPTIONS, rows: selectRows("loopback/mixed") }, {
    signal: new AbortController().signal,
    print: (line) => lines.push(line),
  });
  assert.deepEqual(lines, ["loopback", "  warm-up", "  run 1 of 1"]);
  const [path] = result.paths;
  const { runs, errors } = path!.rows[0]!.measured["Sallyport"]!;
  assert.deepEqual(errors, []);
  assert.equal(runs.length, 1);
  assert.ok(runs[0]!["p50 ms"]! > 0);
  assert.ok(runs[0]!["MB/s"]! > 0);
  assert.deepEqual(Object.keys(path!.subjects[0]!.memory_mib!), ["agent", "server"]);
});

Deno.test("an interrupted benchmark ends its programs", async () => {
  const controller = new AbortController();
  const running = runBench({ ...OPTIONS, seconds: 60, mb: 10_000, rows: selectRows("loopback/gets1") }, {
    signal: controller.signal,
    print: (line) => {
      if (line.includes("warm-up")) setTimeout(() => controller.abort(new Error("interrupted")), 100);
    },
  });
  // The sanitizers of the test find processes that are left over.
  await assert.rejects(running, { message: "interrupted" });
});
