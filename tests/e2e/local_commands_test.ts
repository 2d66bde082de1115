/** Purpose: `status`, `env` and `exec` work with an agent that runs, as real programs with their own permissions. */
import assert from "node:assert/strict";
import { stringify } from "yaml";
import { Chain } from "../support/chain.ts";
import { eventually } from "../support/eventually.ts";
import { startProgram } from "../support/programs.ts";

/** A chain, and a configuration that names the ports that its agent has. */
async function running(): Promise<{ chain: Chain; file: string }> {
  const chain = await Chain.start();
  const file = `${chain.dir}/ports.yaml`;
  const keys = { server_ip: "127.0.0.1", local_proxy_port: chain.proxyPort, console_port: chain.consolePort };
  await Deno.writeTextFile(file, stringify(keys));
  return { chain, file };
}

async function outcome(task: string, args: readonly string[]) {
  await using program = await startProgram(task, args);
  const { code } = await program.ended;
  return { code, out: program.out.text, err: program.log.text };
}

Deno.test("agent exec runs a command through the agent, and has its exit code", async () => {
  const { chain, file } = await running();
  await using _ = chain;
  // An address that the server's rules forbid: that it is the agent who says so shows who was asked.
  const script = "curl -sS http://10.0.0.1/; exit 7";
  const { code, out, err } = await outcome("exec", ["--config", file, "--", "sh", "-c", script]);
  assert.equal(code, 7, err);
  assert.match(out, /^403 Forbidden\n\nSallyport could not serve GET http:\/\/10\.0\.0\.1\/\n/);
  await chain.finish();
});

Deno.test("agent status tells how the agent is, in words and as JSON, and by its exit code", async () => {
  const { chain, file } = await running();
  await using _ = chain;
  await eventually("the tunnel is ready", async () => {
    const { code, out } = await outcome("agent", ["status", "--config", file]);
    assert.deepEqual([code, out], [0, "ready: 1 connections to servers, 0 streams, 0 clients\n"]);
  });
  const { out } = await outcome("agent", ["status", "--json", "--config", file]);
  assert.equal(JSON.parse(out).state, "ready");
  await chain.server.stop();
  await eventually("it says why", async () => {
    const { code, out } = await outcome("agent", ["status", "--config", file]);
    assert.equal(code, 1);
    assert.match(out, /^failed: 0 connections.*\nCannot connect to .*refused\nnext attempt in \d+\.\d s\n$/);
  });
  await chain.agent.stop();
  const gone = await outcome("agent", ["status", "--config", file]);
  assert.equal(gone.code, 1);
  assert.match(gone.err, /^Cannot ask the agent: .*does it run/);
});

Deno.test("agent env prints what a shell evaluates", async () => {
  const { chain, file } = await running();
  await using _ = chain;
  const { code, out } = await outcome("agent", ["env", "--config", file]);
  assert.equal(code, 0);
  const script = `${out}printf %s "$HTTPS_PROXY"`;
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert.equal(new TextDecoder().decode(stdout), chain.proxyUrl);
  await chain.finish();
});
