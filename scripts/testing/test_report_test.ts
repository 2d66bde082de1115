import assert from "node:assert/strict";
import { TestReport } from "./test_report.ts";

const OUTPUT = `running 3 tests from ./a_test.ts
one does it ... ok (2ms)
\x1b[1mtwo does it, no curl here\x1b[0m ... \x1b[33mignored\x1b[0m \x1b[38;5;245m(0ms)\x1b[0m
three does it ...
------- output -------
ok | 9 passed | 0 failed (1ms)
----- output end -----
  part ... ok (0ms)
  other part, no browser ... ignored (0ms)
three does it ... FAILED (due to 1 failed step) (1ms)

\x1b[31mFAILED\x1b[0m | 1 passed (1 step) | 1 failed (1 step) | 1 ignored (28ms)
`;

Deno.test("test report takes the counts of the last summary, however the output is split", () => {
  for (const size of [1, 7, 10_000]) {
    const report = new TestReport();
    for (let at = 0; at < OUTPUT.length; at += size) report.add(OUTPUT.slice(at, at + size));
    assert.deepEqual(report.counts(false), { passed: 1, failed: 1, skipped: 2 });
    assert.deepEqual(report.skipped, ["two does it, no curl here", "other part, no browser"]);
  }
});

Deno.test("test report counts a run without a summary as a failure", () => {
  const report = new TestReport();
  report.add("error: Type checking failed.\n");
  assert.deepEqual(report.counts(false), { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("test report accepts a last line without a line end", () => {
  const report = new TestReport();
  report.add("ok | 12 passed (3 steps) | 0 failed (1s)");
  assert.deepEqual(report.counts(true), { passed: 12, failed: 0, skipped: 0 });
});

Deno.test("test report adds up the cases of fuzz tests", () => {
  const report = new TestReport();
  report.add("it accepts anything ... fuzz: 120 cases of it accepts anything\nok (1s)\nfuzz: 3 cases of x\n");
  assert.equal(report.fuzzCases, 123);
});
