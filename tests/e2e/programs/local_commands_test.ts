/** Purpose: `status`, `env` and `exec` work with a running agent, as real programs with their own permissions. */
import assert from "node:assert/strict";
import { stringify } from "yaml";
import { Chain } from "../../support/programs/chain.ts";
import { eventually } from "../../support/eventually.ts";
import { startProgram } from "../../support/programs/programs.ts";

/** A chain, and a configuration with its agent's ports. */
async function running(): Promise<{ chain: Chain; file: string }> {
  const chain = await Chain.start();
  const file = `${chain.dir}/ports.yaml`;
  const keys = { server_ip: "127.0.0.1", local_proxy_port: chain.proxyPort, console_port: chain.consolePort };
  await Deno.writeTextFile(file, stringify(keys));
  return { chain, file };
}

async function runToEnd(task: string, args: readonly string[]) {
  await using program = await startProgram(task, args);
  const { code } = await program.ended;
  return { code, out: program.out.text, err: program.log.text };
}

Deno.test("agent exec runs a command through the agent and exits with its code", async () => {
  const { chain, file } = await running();
  await using _ = chain;
  // A forbidden address: the agent's refusal shows that the request went through it.
  const script = "curl -sS http://10.0.0.1/; exit 7";
  const { code, out, err } = await runToEnd("exec", ["--config", file, "--", "sh", "-c", script]);
  assert.equal(code, 7, err);
  assert.match(out, /^403 Forbidden\n\nSallyport could not serve GET http:\/\/10\.0\.0\.1\/\n/);
  await chain.finish();
});

Deno.test("agent status shows the status as text, as JSON and by its exit code", async () => {
  const { chain, file } = await running();
  await using _ = chain;
  await eventually("the tunnel is ready", async () => {
    const { code, out } = await runToEnd("agent", ["status", "--config", file]);
    assert.equal(code, 0);
    const link = `link to 127.0.0.1:${chain.serverPort}: 1 (carries all)`;
    assert.equal(out, `ready: 1 connection to servers, 0 streams, 0 clients\n${link}\n`);
  });
  const { out } = await runToEnd("agent", ["status", "--json", "--config", file]);
  assert.equal(JSON.parse(out).state, "ready");
  await chain.server.stop();
  await eventually("it says why", async () => {
    const { code, out } = await runToEnd("agent", ["status", "--config", file]);
    assert.equal(code, 1);
    assert.match(out, /^failed: 0 connections.*\nCannot connect to .*refused\nnext attempt in \d+\.\d s\n$/);
  });
  await chain.agent.stop();
  const gone = await runToEnd("agent", ["status", "--config", file]);
  assert.equal(gone.code, 1);
  assert.match(gone.err, /^sallyport-agent: Cannot ask the agent at .*is it running/);
});

Deno.test("agent env prints variables that a shell evaluates", async () => {
  const { chain, file } = await running();
  await using _ = chain;
  const { code, out } = await runToEnd("agent", ["env", "--config", file]);
  assert.equal(code, 0);
  const script = `${out}printf %s "$HTTPS_PROXY"`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert.equal(new TextDecoder().decode(stdout), chain.proxyUrl);
  await chain.finish();
});

Deno.test("agent status, env and exec exit with 2 if the configuration cannot be used", async () => {
  await using chain = await Chain.prepare();
  const file = `${chain.dir}/bad.yaml`;
  await Deno.writeTextFile(file, "local_proxy_port: many\n");
  const commands: [task: string, args: string[]][] = [
    ["agent", ["run", "--config", file]],
    ["agent", ["status", "--config", file]],
    ["agent", ["env", "--config", file]],
    ["exec", ["--config", file, "--", "true"]],
  ];
  for (const [task, args] of commands) {
    const { code, out, err } = await runToEnd(task, args);
    assert.deepEqual([code, out], [2, ""], `${args[0]}: ${err}`);
    assert.match(
      err,
      /^sallyport-agent: .*bad\.yaml:1:1: Cannot use local_proxy_port: expected a port number/m,
    );
  }
});
