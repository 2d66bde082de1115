/**
 * `deno task test`: runs the tests with sanitizers and ends with a line `N passed, N failed, N skipped`.
 * Arguments (files, `--filter …`) go to `deno test`. With `CI=true` a skipped test is a failure.
 */
import { resolve } from "node:path";
import { terminal } from "../shared/cli/terminal.ts";
import { fileExists } from "../shared/config/config_file.ts";
import { announceDownload } from "./process/downloads.ts";
import { NO_NODE_MODULES } from "./process/task_command.ts";
import { TestReport } from "./testing/test_report.ts";

const HELP = `Usage: deno task test [options] [paths...]

Runs the tests in these files and folders, all tests by default. The last line counts them.

Options:
  --filter <text>  run only tests whose name contains the text, or matches a /pattern/
  --fail-fast      stop after the first failure
  -h, --help       show this help

Other options go to "deno test". With CI=true in the environment a skipped test is a failure.
`;

const FLAGS = [NO_NODE_MODULES, "--sanitize-ops", "--sanitize-resources", "--no-prompt"];
/** Tests start programs, write files and listen: they may do what the person who runs them may do. */
const PERMISSIONS = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);
/** Tests that load Chromium, which is most of what tests download. */
const BROWSER_TESTS = `${import.meta.dirname}/../tests/browser`;

if (Deno.args.includes("--help") || Deno.args.includes("-h")) terminal.out(HELP);
else await runTests(Deno.args);

async function runTests(args: readonly string[]): Promise<void> {
  if (await includesBrowserTests(args)) announceDownload("work");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...FLAGS, ...PERMISSIONS, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const report = new TestReport();
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    const text = decoder.decode(bytes, { stream: true });
    terminal.out(text);
    report.add(text);
  }
  const status = await child.status;

  const counts = report.counts(status.success);
  const mayNotSkip = Deno.env.get("CI") === "true" && counts.skipped > 0;
  if (report.fuzzCases > 0) terminal.out(`${report.fuzzCases} cases fuzzed\n`);
  for (const name of report.skipped) terminal.out(`skipped: ${name}\n`);
  if (mayNotSkip) terminal.out("Cannot accept skipped tests: CI=true is set\n");
  terminal.out(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  Deno.exitCode = status.success && mayNotSkip ? 1 : status.code;
}

async function includesBrowserTests(args: readonly string[]): Promise<boolean> {
  const browser = `${resolve(BROWSER_TESTS)}/`;
  const paths: string[] = [];
  for (const arg of args) if (await fileExists(arg)) paths.push(`${resolve(arg)}/`);
  return paths.length === 0 || paths.some((path) => browser.startsWith(path) || path.startsWith(browser));
}
