/**
 * Purpose: the programs say in plain lines what is wrong with a command line or a configuration, and their exit
 * code tells a mistake of the person (2) from a failure (1).
 */
import assert from "node:assert/strict";
import { VERSION } from "../../shared/version.ts";
import { type Program, startProgram } from "../support/programs.ts";
import { within } from "../support/within.ts";

const PROGRAMS = ["agent", "server"] as const;

/** Runs a program to its own end. */
async function outcome(task: string, args: string[], env: Record<string, string> = {}) {
  await using program: Program = await startProgram(task, args, { env });
  const { code } = await within(10_000, program.ended, `the end of the ${task}`);
  return { code, errors: program.log.text, out: program.out.text };
}

/** Runs a program with this configuration file; `FILE` in what it writes stands for its path. */
async function outcomeWith(task: string, yaml: string, env: Record<string, string> = {}) {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, yaml);
    const { code, errors } = await outcome(task, ["--config", file], env);
    return { code, lines: errors.trimEnd().replaceAll(file, "FILE").split("\n") };
  } finally {
    await Deno.remove(file);
  }
}

for (const name of PROGRAMS) {
  Deno.test(`the ${name} prints its version`, async () => {
    const { code, out, errors } = await outcome(name, ["--version"]);
    assert.deepEqual([code, errors], [0, ""]);
    // An executable tells its commit too.
    assert.match(out, new RegExp(`^${RegExp.escape(VERSION)}( \\([^\\n]+\\))?\n$`));
  });

  Deno.test(`the ${name} refuses an unknown flag with 2 and one line`, async () => {
    const { code, errors } = await outcome(name, ["--confg", "a.yaml"]);
    assert.equal(code, 2);
    assert.match(errors, new RegExp(`^sallyport-${name}: unknown option '--confg'[^\\n]*\\n$`));
  });

  Deno.test(`the ${name} refuses a configuration with 2 and a line for each problem`, async () => {
    const yaml = "log_level: loud\ncert_fil: a.crt\n";
    const { code, lines } = await outcomeWith(name, yaml, { SALLYPORT_BOGUS: "1" });
    assert.equal(code, 2);
    assert.equal(lines.length, 3, lines.join("\n"));
    assert.equal(
      lines[0],
      `sallyport-${name}: FILE:1: Cannot use log_level: expected one of debug, info, warn, error, current value is "loud"`,
    );
    assert.match(lines[1]!, /: FILE:2: Cannot use cert_fil: expected one of the keys .*cert_file/);
    assert.match(lines[2]!, /: SALLYPORT_BOGUS: Cannot use variable: no key has this name$/);
  });

  Deno.test(`the ${name} fails with 1 and one line when its certificate is not there`, async () => {
    const yaml = `cert_file: /no/such/a.crt\n${name === "agent" ? "server_ip: 127.0.0.1\n" : ""}`;
    const { code, lines } = await outcomeWith(name, yaml);
    assert.equal(code, 1);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(lines[0]!, new RegExp(`^sallyport-${name}: .*/no/such/a\\.crt`));
  });
}

Deno.test("the agent names a configuration file that is not there", async () => {
  const { code, errors } = await outcome("agent", ["--config", "/no/such/agent.yaml"]);
  assert.equal(code, 2);
  assert.match(
    errors,
    /^sallyport-agent: \/no\/such\/agent\.yaml: Cannot read configuration file: No such file[^\n]*\n$/,
  );
});
