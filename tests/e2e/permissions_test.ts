/**
 * Purpose: each task gives its program the permissions that it needs and no more. Every other test of this
 * folder runs the programs with exactly these; here stands what must not be among them.
 */
import assert from "node:assert/strict";
import { taskCommand } from "../../scripts/task_command.ts";
import { childEnvironment } from "../../scripts/child_environment.ts";

/** What the flags of a task may open; anything else has to be thought about here first. */
const ALLOWED: Record<string, readonly string[]> = {
  agent: ["net", "read", "env", "sys"],
  server: ["net", "read", "env", "sys"],
  certs: ["read", "write", "env"],
  demo: ["net", "read", "write", "run", "env"],
};

for (const [task, allowed] of Object.entries(ALLOWED)) {
  Deno.test(`the task ${task} opens nothing but ${allowed.join(", ")}`, async () => {
    const { flags } = await taskCommand(task);
    assert.ok(!flags.some((flag) => /^-[a-z]*A|^--allow-all|^--unstable/.test(flag)), flags.join(" "));
    const opened = flags.flatMap((flag) => flag.match(/^--allow-([a-z]+)/)?.[1] ?? []);
    assert.deepEqual(opened.filter((name) => !allowed.includes(name)), []);
  });

  Deno.test(`the task ${task} needs no deno on the PATH`, async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", task, "--help"],
      cwd: `${import.meta.dirname}/../..`,
      env: { ...childEnvironment(), PATH: "/usr/bin:/bin" },
      clearEnv: true,
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  });
}

Deno.test("writing and running are open only where they are named", async () => {
  const demo = (await taskCommand("demo")).flags;
  for (const name of ["write", "run", "net"]) {
    assert.ok(
      demo.some((flag) => flag.startsWith(`--allow-${name}=`)),
      `demo names what --allow-${name} opens`,
    );
  }
});
