/**
 * `deno task test`: runs the tests with sanitizers and ends with a line `N passed, N failed, N skipped`.
 * Arguments (files, `--filter …`) go to `deno test`. With `CI=true` a skipped test is a failure.
 */
import { TestReport } from "./test_report.ts";

const FLAGS = ["--sanitize-ops", "--sanitize-resources", "--no-prompt"];
/** Tests start programs, write files, and serve; they may do what the person who runs them may. */
const PERMISSIONS = ["read", "write", "net", "env", "run", "sys"].map((name) => `--allow-${name}`);

const child = new Deno.Command(Deno.execPath(), {
  args: ["test", ...FLAGS, ...PERMISSIONS, ...Deno.args],
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
}).spawn();

const report = new TestReport();
const decoder = new TextDecoder();
for await (const bytes of child.stdout) {
  print(bytes);
  report.add(decoder.decode(bytes, { stream: true }));
}
const status = await child.status;

const counts = report.counts(status.success);
const mayNotSkip = Deno.env.get("CI") === "true" && counts.skipped > 0;
if (report.fuzzCases > 0) say(`${report.fuzzCases} cases fuzzed`);
for (const name of report.skipped) say(`skipped: ${name}`);
if (mayNotSkip) say("Cannot accept this run: with CI=true nothing may be skipped");
say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
Deno.exitCode = status.success && mayNotSkip ? 1 : status.code;

function say(text: string): void {
  print(new TextEncoder().encode(`${text}\n`));
}

function print(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
