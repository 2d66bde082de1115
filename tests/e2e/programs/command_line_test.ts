/**
 * Purpose: the programs report errors of the command line and the configuration in plain lines, and their exit code
 * tells errors of the user (2) from other errors (1).
 */
import assert from "node:assert/strict";
import { VERSION } from "../../../shared/version.ts";
import { type Program, startProgram } from "../../support/programs/programs.ts";
import { within } from "../../support/within.ts";

const PROGRAMS = ["agent", "server"] as const;

/** Runs a program until it exits. */
async function runToEnd(task: string, args: string[], env: Record<string, string> = {}) {
  await using program: Program = await startProgram(task, args, { env });
  const { code } = await within(10_000, program.ended, `the end of the ${task}`);
  return { code, errors: program.log.text, out: program.out.text };
}

/** Runs a program with this configuration file; `FILE` in the output stands for its path. */
async function outcomeWith(task: string, yaml: string, env: Record<string, string> = {}) {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, yaml);
    const { code, errors } = await runToEnd(task, ["--config", file], env);
    return { code, lines: errors.trimEnd().replaceAll(file, "FILE").split("\n") };
  } finally {
    await Deno.remove(file);
  }
}

for (const name of PROGRAMS) {
  Deno.test(`the ${name} prints its version`, async () => {
    const { code, out, errors } = await runToEnd(name, ["--version"]);
    assert.deepEqual([code, errors], [0, ""]);
    // An executable shows its commit too.
    assert.match(out, new RegExp(`^${RegExp.escape(VERSION)}( \\([^\\n]+\\))?\n$`));
  });

  Deno.test(`the ${name} refuses an unknown flag with 2 and one line`, async () => {
    const { code, errors } = await runToEnd(name, ["--confg", "a.yaml"]);
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
      `sallyport-${name}: FILE:1:1: Cannot use log_level: expected one of debug, info, warn, error, current value is "loud"`,
    );
    assert.match(
      lines[1]!,
      /: FILE:2:1: Cannot use cert_fil: there is no such key; did you mean cert_file\?$/,
    );
    assert.match(
      lines[2]!,
      /: SALLYPORT_BOGUS: Cannot use variable: no key has this name; see docs\/configuration\.md#/,
    );
  });

  Deno.test(`the ${name} exits with 1 and one line if its certificate does not exist`, async () => {
    const yaml = `cert_file: /no/such/a.crt\n${name === "agent" ? "server_ip: 127.0.0.1\n" : ""}`;
    const { code, lines } = await outcomeWith(name, yaml);
    assert.equal(code, 1);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.match(lines[0]!, new RegExp(`^sallyport-${name}: .*/no/such/a\\.crt`));
  });
}

/** Errors at the start: the file, the exit code, and the first line after the program's name. */
const STARTS: readonly [program: (typeof PROGRAMS)[number], yaml: string, code: number, first: RegExp][] = [
  ["agent", "listen_port: 8443\n", 2, /^FILE: Cannot use the file: this looks like a server's configuration/],
  [
    "server",
    "server_ip: a.example\n",
    2,
    /^FILE: Cannot use the file: this looks like an agent's configuration/,
  ],
  ["agent", "", 2, /^FILE \(which has no keys\): Cannot use server_ip: expected the address of your server/],
  [
    "agent",
    "server_ip: https://a.example:8443/\n",
    2,
    /^FILE:1:1: Cannot use server_ip: .*; remove "https:/,
  ],
  [
    "agent",
    "server_ip: a\nconsole_port: 8080\n",
    2,
    /^FILE:2:1: Cannot use console_port: it is 8080, and so is/,
  ],
  [
    "server",
    "health_port: 8443\n",
    2,
    /^FILE:1:1: Cannot use health_port: it is 8443, and so is listen_port/,
  ],
  ["server", "targets:\n\tallow: []\n", 2, /^FILE:2:1: Cannot parse YAML: a tab is used for indentation/],
  [
    "server",
    "crl_parameter: a\ncrl_file: b\n",
    2,
    /^FILE:1:1: Cannot use crl_parameter: crl_file is set too/,
  ],
  [
    "server",
    "cert_file: /no/such\n",
    1,
    /^Cannot read certificate \/no\/such: no such file or directory; cert_file sets this path: correct it, or make .* certs init$/,
  ],
];

for (const [name, yaml, code, first] of STARTS) {
  Deno.test(`the ${name} with ${JSON.stringify(yaml)} exits with ${code}, the reason first, without a stack`, async () => {
    const result = await outcomeWith(name, yaml);
    assert.equal(result.code, code);
    assert.equal(result.lines.length, 1, result.lines.join("\n"));
    assert.ok(result.lines[0]!.startsWith(`sallyport-${name}: `), result.lines[0]);
    assert.match(result.lines[0]!.slice(`sallyport-${name}: `.length), first);
  });
}

Deno.test("the task agent says which task may write certificates", async () => {
  if (Deno.env.get("AGENT_BIN")) return;
  const { code, errors } = await runToEnd("agent", ["certs", "init", "--dir", "/tmp/not/made"]);
  assert.equal(code, 1);
  assert.match(
    errors,
    /^sallyport-agent: Cannot create the folder \/tmp\/not\/made: this task may write no files; use npx \S+ \S+ task -q certs …\n$/,
  );
});

Deno.test("the agent names a configuration file that does not exist", async () => {
  const { code, errors } = await runToEnd("agent", ["--config", "/no/such/agent.yaml"]);
  assert.equal(code, 2);
  assert.match(
    errors,
    /^sallyport-agent: \/no\/such\/agent\.yaml: Cannot read the configuration file: no such file[^\n]*\n$/,
  );
});
