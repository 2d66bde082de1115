/** How many tests of a run passed, failed and were skipped. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

// deno-lint-ignore no-control-regex -- colours are what it looks for
const COLOUR = /\x1b\[[0-9;]*m/g;
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/;
const FUZZED = /fuzz: (\d+) cases of /;
const SKIPPED = /^(.+) \.\.\. ignored(?: \(.*\))?$/;

/** Reads what `deno test` prints, as it comes. */
export class TestReport {
  /** Names of skipped tests, in the order in which they came. */
  readonly skipped: string[] = [];
  /** Cases that fuzz tests ran, by what they printed. */
  fuzzCases = 0;
  #passed = 0;
  #failed = 0;
  #rest = "";

  /** Takes the next piece of the output. */
  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(line.replace(COLOUR, "").trimEnd());
  }

  /**
   * Counts once the output has ended.
   *
   * @param succeeded Whether the runner said so. One that failed without a failed test, such as by a type error,
   * counts as one failure.
   */
  counts(succeeded: boolean): TestCounts {
    this.add("\n");
    const failed = succeeded ? this.#failed : Math.max(this.#failed, 1);
    return { passed: this.#passed, failed, skipped: this.skipped.length };
  }

  #take(line: string): void {
    const [, passed, failed] = SUMMARY.exec(line) ?? [];
    if (passed !== undefined && failed !== undefined) {
      // The last summary is the runner's; one before it was printed by a test.
      this.#passed = Number(passed);
      this.#failed = Number(failed);
    }
    this.fuzzCases += Number(FUZZED.exec(line)?.[1] ?? 0);
    const [, name] = SKIPPED.exec(line) ?? [];
    // A step that is ignored stands indented below its test, which ran.
    if (name !== undefined) this.skipped.push(name.trim());
  }
}
