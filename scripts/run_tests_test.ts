import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "./process/child_environment.ts";
import { taskCommand } from "./process/task_command.ts";

const PASSING = `Deno.test("passes", () => {});`;
const FAILING = `Deno.test("fails", () => { throw new Error("no"); });`;
const SKIPPED = `Deno.test.ignore("cannot run, no curl here", () => {});`;
const LEAKING = `Deno.test("leaks", () => { setTimeout(() => {}, 1_000); });`;

/** Runs the task on one test file; returns the exit code and the lines of standard output. */
async function runTests(code: string, ci: string) {
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/made_test.ts`;
    await Deno.writeTextFile(file, code);
    const { flags, module, args } = await taskCommand("test");
    const { code: exitCode, stdout } = await new Deno.Command(Deno.execPath(), {
      args: [...flags, module, ...args, "--no-lock", file],
      cwd: fileURLToPath(new URL("../", import.meta.url)),
      env: { ...childEnvironment(), CI: ci },
      clearEnv: true,
      stderr: "null",
    }).output();
    return { exitCode, lines: new TextDecoder().decode(stdout).trimEnd().split("\n") };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("task test ends with the counts of the run", async () => {
  const good = await runTests(PASSING + SKIPPED, "");
  assert.equal(good.lines.at(-1), "1 passed, 0 failed, 1 skipped");
  assert.equal(good.lines.at(-2), "skipped: cannot run, no curl here");
  assert.equal(good.exitCode, 0);

  const bad = await runTests(PASSING + FAILING + LEAKING, "");
  assert.equal(bad.lines.at(-1), "1 passed, 2 failed, 0 skipped");
  assert.notEqual(bad.exitCode, 0);
});

Deno.test("task test fails with CI=true when a test is skipped, and names it", async () => {
  const skipping = await runTests(PASSING + SKIPPED, "true");
  assert.equal(skipping.exitCode, 1);
  assert.match(skipping.lines.at(-2)!, /CI=true/);
  assert.equal(skipping.lines.at(-1), "1 passed, 0 failed, 1 skipped");
  assert.equal((await runTests(PASSING, "true")).exitCode, 0);
});

Deno.test("task test fails when the tests do not start", async () => {
  const broken = await runTests(`const a: number = "x"; ${PASSING}`, "");
  assert.notEqual(broken.exitCode, 0);
  assert.equal(broken.lines.at(-1), "0 passed, 1 failed, 0 skipped");
});

Deno.test("task test --help prints a short help of its own, and runs nothing", async () => {
  const { flags, module } = await taskCommand("test");
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...flags, module, "scripts", "--help"],
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    stderr: "null",
  }).output();
  const help = new TextDecoder().decode(stdout);
  assert.equal(code, 0);
  assert.match(help, /^Usage: deno task test /);
  assert.match(help, /^ {2}--filter /m);
  assert.ok(help.split("\n").length < 20, help);
  assert.doesNotMatch(help, /passed/);
});
