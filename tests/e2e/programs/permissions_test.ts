/**
 * Purpose: each task gives its program only the permissions that it needs. The other tests of this folder run the
 * programs with exactly these; this one checks what is not among them.
 */
import assert from "node:assert/strict";
import { taskCommand } from "../../../scripts/process/task_command.ts";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";

/** Acts of `forbidden_acts.ts` that a task's program needs; all others must fail. */
const NEEDED: Record<string, readonly string[]> = {
  agent: ["connect to a host"],
  server: ["connect to a host"],
  certs: ["write a file", "write a file through node:fs", "remove a file"],
};

for (const [task, needed] of Object.entries(NEEDED)) {
  Deno.test(`a program with the flags of the task ${task} cannot do what it does not need`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "sallyport_acts_" });
    try {
      await Deno.writeTextFile(`${directory}/kept`, "");
      const { outcomes, variables } = await actsOf(task, directory);
      const done = Object.keys(outcomes).filter((act) => outcomes[act] === "done");
      assert.deepEqual(done, needed);
      for (const [act, outcome] of Object.entries(outcomes)) {
        if (!needed.includes(act)) assert.match(outcome, REFUSED, act);
      }
      assert.deepEqual(variables, task === "certs" ? {} : { setting: "seen" });
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

/** Errors about a missing permission, of Deno and of `node:child_process`, and about code from another host. */
const REFUSED = /^NotCapable: |^Error: Command failed|Requires import access/;

interface Acts {
  outcomes: Record<string, string>;
  variables: { secret?: string; setting?: string };
}

async function actsOf(task: string, directory: string): Promise<Acts> {
  const { flags } = await taskCommand(task);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...flags, `${import.meta.dirname}/../../support/attacks/forbidden_acts.ts`, directory],
    env: { ...childEnvironment(), SECRET: "not seen", SALLYPORT_SETTING: "seen" },
    clearEnv: true,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Permissions that the flags of a task may have. */
const ALLOWED: Record<string, readonly string[]> = {
  agent: ["net", "read", "env", "sys"],
  server: ["net", "read", "env", "sys"],
  certs: ["read", "write", "env"],
  demo: ["net", "read", "write", "run", "env"],
};

for (const [task, allowed] of Object.entries(ALLOWED)) {
  Deno.test(`the task ${task} allows only ${allowed.join(", ")}`, async () => {
    const { flags } = await taskCommand(task);
    assert.ok(!flags.some((flag) => /^-[a-z]*A|^--allow-all|^--unstable/.test(flag)), flags.join(" "));
    const opened = flags.flatMap((flag) => flag.match(/^--allow-([a-z]+)/)?.[1] ?? []);
    assert.deepEqual(opened.filter((name) => !allowed.includes(name)), []);
    // Without it, code of a few well-known hosts may be imported.
    if (task !== "demo") assert.ok(flags.includes("--no-remote"), flags.join(" "));
  });

  Deno.test(`the task ${task} needs no deno on the PATH`, async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", task, "--help"],
      cwd: `${import.meta.dirname}/../../..`,
      env: { ...childEnvironment(), PATH: "/usr/bin:/bin" },
      clearEnv: true,
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  });
}

Deno.test("write and run permissions are always limited", async () => {
  const demo = (await taskCommand("demo")).flags;
  for (const name of ["write", "run", "net"]) {
    assert.ok(
      demo.some((flag) => flag.startsWith(`--allow-${name}=`)),
      `demo names what --allow-${name} opens`,
    );
  }
});
