/** How many tests passed, failed and were skipped. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

// deno-lint-ignore no-control-regex -- matches colours
const COLOUR = /\x1b\[[0-9;]*m/g;
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/;
const FUZZED = /fuzz: (\d+) cases of /;
const SKIPPED = /^(.+) \.\.\. ignored(?: \(.*\))?$/;

/** Reads the output of `deno test` as it arrives. */
export class TestReport {
  /** Names of skipped tests, in order. */
  readonly skipped: string[] = [];
  /** Cases that fuzz tests reported. */
  fuzzCases = 0;
  #passed = 0;
  #failed = 0;
  #rest = "";

  /** Adds the next piece of the output. */
  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(line.replace(COLOUR, "").trimEnd());
  }

  /**
   * Returns the counts after the end of the output.
   *
   * @param succeeded Whether `deno test` exited with 0. If not, and no test failed, as after a type error, that counts
   * as one failed test.
   */
  counts(succeeded: boolean): TestCounts {
    this.add("\n");
    const failed = succeeded ? this.#failed : Math.max(this.#failed, 1);
    return { passed: this.#passed, failed, skipped: this.skipped.length };
  }

  #take(line: string): void {
    const [, passed, failed] = SUMMARY.exec(line) ?? [];
    if (passed !== undefined && failed !== undefined) {
      // The last summary is that of `deno test`; earlier ones were printed by tests.
      this.#passed = Number(passed);
      this.#failed = Number(failed);
    }
    this.fuzzCases += Number(FUZZED.exec(line)?.[1] ?? 0);
    const [, name] = SKIPPED.exec(line) ?? [];
    // An ignored step is indented below its test, which did run.
    if (name !== undefined) this.skipped.push(name.trim());
  }
}
