/**
 * Purpose: the commands work in a shell with the variables of `agent env`, and in the user's folder: with the agent
 * down, without `--config`, started by the documented tasks.
 */
import assert from "node:assert/strict";
import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { Chain } from "../../support/programs/chain.ts";
import { eventually } from "../../support/eventually.ts";
import { startProgram } from "../../support/programs/programs.ts";
import { within } from "../../support/within.ts";

const ROOT = `${import.meta.dirname}/../../..`;

/** A temporary folder with these files. */
async function folder(files: Readonly<Record<string, string>>) {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "sallyport_shell_" }));
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${dir}/${name}`, text);
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

async function runToEnd(task: string, args: readonly string[], options: RunOptions = {}) {
  await using program = await startProgram(task, args, options);
  const { code } = await within(30_000, program.ended, `the end of ${task} ${args.join(" ")}`);
  return { code, out: program.out.text, err: program.log.text };
}

/** Runs a task by the task runner, as a user in `cwd` does. */
async function byTaskRunner(cwd: string, ...words: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "--config", `${ROOT}/deno.json`, ...words],
    cwd,
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const AGENT_FILE = "server_ip: 127.0.0.1\nserver_port: 1\nlocal_proxy_port: 9\nconsole_port: 10\n";

/** The output of `agent env` as an environment. */
function variables(lines: string): Record<string, string> {
  const entries = [...lines.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]);
  return Object.fromEntries(entries);
}

Deno.test("doctor, status, exec, env and certs work in a shell with the variables of agent env", async () => {
  await using there = await folder({ "agent.yaml": AGENT_FILE });
  const cwd = there.dir;
  const env = variables((await runToEnd("agent", ["env"], { cwd, env: { SHELL: "/bin/sh" } })).out);
  assert.equal(env["HTTPS_PROXY"], "http://127.0.0.1:9");
  const doctor = await runToEnd("agent", ["doctor", "--json", "--timeout", "500ms"], { cwd, env });
  const report = JSON.parse(doctor.out) as { steps: { name: string; result: string }[] };
  assert.equal(report.steps.find(({ name }) => name === "configuration")?.result, "pass");
  assert.equal(
    doctor.err.match(/HTTPS_PROXY and https_proxy name this agent itself/g)?.length,
    1,
    doctor.err,
  );
  const status = await runToEnd("agent", ["status"], { cwd, env });
  assert.match(status.err, /^sallyport-agent: Cannot ask the agent at 127\.0\.0\.1:10/);
  assert.equal((await runToEnd("exec", ["--", "true"], { cwd, env })).code, 0);
  assert.equal((await runToEnd("agent", ["env"], { cwd, env })).code, 0);
  assert.equal((await runToEnd("certs", ["init", "--dir", "certs"], { cwd, env })).code, 0);
});

Deno.test("the agent starts in such a shell, with one warning", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  // The port is not known before: a variable with this machine and this port names the agent itself.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const url = `http://localhost:${port}`;
  await chain.startAgent({ HTTPS_PROXY: url, https_proxy: url }, { local_proxy_port: port });
  await chain.agent.log.waitFor("tunnel ready");
  assert.equal(chain.agent.log.text.match(/name this agent itself/g)?.length, 1);
  await chain.finish();
});

Deno.test("exec has the exit codes of a shell, names the task to use, and passes on codes and signals", async () => {
  await using there = await folder({ "agent.yaml": AGENT_FILE });
  const cwd = there.dir;
  const missing = await runToEnd("exec", ["nosuchcmd"], { cwd });
  assert.deepEqual([missing.code, missing.err], [
    127,
    "sallyport-agent: no agent listens at 127.0.0.1:9; start it first\n" +
    "sallyport-agent: Cannot run nosuchcmd: command not found\n",
  ]);
  assert.equal((await runToEnd("exec", ["--", `${cwd}/agent.yaml`], { cwd })).code, 126);
  assert.equal((await runToEnd("exec", ["--", "sh", "-c", "exit 9"], { cwd })).code, 9);
  assert.equal((await runToEnd("exec", ["--", "sh", "-c", "kill -TERM $$"], { cwd })).code, 143);
  for (const [signal, code] of [["SIGTERM", 7], ["SIGHUP", 8]] as const) {
    const script = `trap 'exit ${code}' ${
      signal.slice(3)
    }; echo up; for i in $(seq 400); do sleep 0.05; done`;
    await using program = await startProgram("exec", ["--", "sh", "-c", script], { cwd });
    await eventually("the command runs", () => assert.equal(program.out.text, "up\n"));
    assert.equal((await program.stop(signal)).code, code);
  }
  if (!Deno.env.get("AGENT_BIN")) {
    const { code, err } = await runToEnd("agent", ["exec", "--", "true"], { cwd });
    assert.equal(code, 126);
    assert.match(err, /this task may not run commands; use npx -y deno@[\d.]+ task -q exec instead of/);
    assert.match(err, /^sallyport-agent: no agent listens at 127\.0\.0\.1:\d+; start it first\n/);
  }
});

Deno.test("env prints the syntax of $SHELL, or of POSIX with a comment", async () => {
  await using there = await folder({ "agent.yaml": AGENT_FILE });
  const first = async (shell: string) =>
    (await runToEnd("agent", ["env"], { cwd: there.dir, env: { SHELL: shell } })).out.split("\n")[0];
  assert.equal(await first("/usr/bin/zsh"), "export HTTP_PROXY='http://127.0.0.1:9'");
  assert.equal(await first("/usr/bin/fish"), "set -gx HTTP_PROXY 'http://127.0.0.1:9'");
  assert.match((await first("/bin/tcsh"))!, /^# unknown shell "\/bin\/tcsh": /);
});

Deno.test("tasks resolve paths from the user's folder, and read its agent.yaml and server.yaml", async () => {
  await using there = await folder({ "agent.yaml": AGENT_FILE, "server.yaml": "health_port: 11\n" });
  const { dir } = there;
  const pwd = await byTaskRunner(dir, "exec", "--", "pwd");
  assert.deepEqual([pwd.code, pwd.out], [0, `${dir}\n`], pwd.err);
  const named = await byTaskRunner(dir, "exec", "--config", "agent.yaml", "--", "printenv", "HTTP_PROXY");
  assert.equal(named.out, "http://127.0.0.1:9\n", named.err);
  assert.match((await byTaskRunner(dir, "server", "health")).err, /127\.0\.0\.1:11/);
  const overruled = { SALLYPORT_LOCAL_PROXY_PORT: "12" };
  const { out } = await runToEnd("agent", ["env", "--shell", "sh"], { cwd: dir, env: overruled });
  assert.match(out, /^export HTTP_PROXY='http:\/\/127\.0\.0\.1:12'/);
});

Deno.test("without a file and settings each program names the command to use", async () => {
  await using there = await folder({});
  for (const name of ["agent", "server"]) {
    if (name === "server" && await Deno.stat("/root/certs/server.crt").then(() => true, () => false)) {
      continue;
    }
    const { code, err } = await runToEnd(name, [], { cwd: there.dir });
    assert.equal(code, 2);
    assert.match(
      err,
      new RegExp(`there is no ${name}\\.yaml here.* run .*${name}.* --config ${name}\\.yaml\n$`),
    );
  }
});

Deno.test("the log of an agent whose server is down has a line at the start and at the end of the outage", async () => {
  await using chain = await Chain.start();
  await chain.agent.log.waitFor("tunnel ready");
  await chain.server.stop();
  const { fields } = await chain.agent.log.waitFor("connection failed");
  assert.match(String(fields["advice"]), /agent doctor/);
  const status = async () => {
    const answer = await fetch(`http://127.0.0.1:${chain.consolePort}/status`);
    return (await answer.json()).error as string | undefined;
  };
  await eventually("the outage is known", async () => assert.match((await status()) ?? "", /refused/));
  // Requests make the agent dial every second.
  const client = Deno.createHttpClient({ proxy: { url: chain.proxyUrl } });
  const refused = await fetch("http://example.org/", { client });
  assert.equal(refused.status, 503);
  await refused.body?.cancel();
  client.close();
  await chain.startServer();
  await eventually("the end is logged with its length", () => {
    assert.match(chain.agent.log.text, /tunnel ready.*"down_for_s":\d+/);
  });
  const reasons = chain.agent.log.text.split("\n").filter((line) => line.includes("connection failed"))
    .map((line) => JSON.parse(line).properties.error as string);
  assert.ok(
    Number(/"attempts":(\d+)[^\n]*$/.exec(chain.agent.log.text.trimEnd())?.[1] ?? 0) >= reasons.length,
  );
  assert.equal(new Set(reasons).size, reasons.length, reasons.join("\n"));
  await chain.finish();
});
