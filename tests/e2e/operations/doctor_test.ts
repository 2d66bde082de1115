/** Purpose: `agent doctor` as a real program, with a real server and a working tunnel. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { environmentOf, keysOf, runDoctor } from "../../support/programs/doctor.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startProgram } from "../../support/programs/programs.ts";
import { agentStatus, health } from "../../support/programs/status.ts";
import { eventually } from "../../support/eventually.ts";

Deno.test("agent doctor passes every step with a working tunnel, and closes what it opened", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const url = `http://${origin.host}/`;
  const run = await runDoctor({ keys: keysOf(chain), args: ["--control", url, "--page", url] });
  const results = run.report.steps.map(({ name, result }) => `${name} ${result}`);
  assert.deepEqual(results, [
    "configuration pass",
    "ports pass",
    "proxy skipped",
    "control pass",
    "clock pass",
    "certificate pass",
    "revocation skipped",
    "names skipped",
    "fleet skipped",
    "server pass",
    "tls pass",
    "session pass",
    "speed pass",
    "page pass",
  ], JSON.stringify(run.report));
  assert.deepEqual([run.code, run.report.ok, run.report.cause], [0, true, undefined]);
  assert.match(
    run.step("speed").detail,
    /^round trip [\d.]+ ms, about [\d.]+ Mbit\/s from the server; link to 127\.0\.0\.1:\d+: 1 \(round trip [^)]+\)$/,
  );
  const { round_trip_ms, receive_bytes_per_s, links } = run.step("speed");
  assert.ok(round_trip_ms! > 0 && receive_bytes_per_s! > 0);
  assert.deepEqual(links?.map(({ id, carries }) => [id, carries]), [[1, "all"]]);
  assert.match(run.step("page").detail, /answered 200/);
  // The measurement does not count as user traffic.
  const metrics = await (await fetch(`http://127.0.0.1:${chain.healthPort}/metrics`)).text();
  const out = /^sallyport_user_bytes_total\{direction="out"\} (\d+)$/m.exec(metrics)?.[1];
  assert.ok(Number(out) < 65_536, metrics);
  await eventually(
    "the connection is closed",
    async () => assert.equal((await health(chain)).connections, 0),
  );
  assert.equal((await health(chain)).agents, 0, "the server does not wait for doctor to come back");
  assert.doesNotMatch(chain.server.log.text, /agent lost its connection/);
  await chain.server.stop();
});

Deno.test("agent doctor shows each step, what a problem means and what to do", async () => {
  await using chain = await Chain.prepare();
  const env = environmentOf(keysOf(chain));
  await using origin = startHttpOrigin(() => new Response("hello"));
  const args = ["doctor", "--control", `http://${origin.host}/`];
  await using program = await startProgram("agent", args, { env });
  assert.equal((await program.ended).code, 50, program.log.text);
  const { text } = program.out;
  assert.match(text, /^ok {3}configuration server 127\.0\.0\.1, port 1$/m);
  assert.match(text, /^FAIL server {8}Cannot connect to 127\.0\.0\.1:1: the connection was refused$/m);
  assert.match(text, /^ {19}means: The server.s machine.*\n {19}do: Check that the server runs/m);
  assert.match(text, /^- {4}tls {11}not checked, caused by: server$/m);
  assert.match(text, /\nThe tunnel does not work\. Cause: server \(refused, exit code 50\)\.\n$/);
});

Deno.test("agent doctor distinguishes a running agent from another program on its port", async () => {
  await using chain = await Chain.start();
  await eventually("it is ready", async () => assert.equal((await agentStatus(chain)).state, "ready"));
  const ports = { local_proxy_port: chain.proxyPort, console_port: chain.consolePort };
  await using origin = startHttpOrigin(() => new Response("hello"));
  const url = `http://${origin.host}/`;
  const args = ["--control", url, "--page", url];
  const same = await runDoctor({ keys: { ...keysOf(chain), ...ports }, args });
  assert.match(
    same.step("ports").detail,
    /^agent already running, state: ready; link to [^ ]+: 1 \(.*carries all\)$/,
  );
  assert.deepEqual(same.step("ports").links?.map(({ id }) => id), [1]);
  assert.equal(same.code, 0);
  // The console belongs to an agent, the other port does not.
  const own = { console_port: chain.consolePort, local_proxy_port: origin.port };
  const taken = await runDoctor({ keys: { ...keysOf(chain), ...own }, args });
  taken.assertCause("ports", "ports", 11);
  assert.match(taken.step("ports").detail, /^local_proxy_port: .*the port is in use by another program/);
  // The proxy port belongs to an agent whose console is elsewhere.
  const proxyOnly = await runDoctor({ keys: { ...keysOf(chain), local_proxy_port: chain.proxyPort }, args });
  proxyOnly.assertCause("ports", "ports", 11);
  assert.match(proxyOnly.step("ports").detail, /^local_proxy_port: .*another Sallyport agent uses this port/);
  const consoleOnly = await runDoctor({ keys: { ...keysOf(chain), console_port: chain.consolePort }, args });
  assert.match(consoleOnly.step("ports").detail, /^console_port: .*another Sallyport agent uses this port/);
  // It affects only the agent itself.
  assert.equal(taken.step("page").result, "pass");
  await chain.finish();
});

Deno.test("agent doctor reports the configuration error and skips all other steps", async () => {
  await using chain = await Chain.prepare();
  const run = await runDoctor({ keys: { ...keysOf(chain), server_port: "many" } });
  run.assertCause("configuration", "configuration", 10);
  assert.match(run.step("configuration").detail, /SALLYPORT_SERVER_PORT/);
  assert.equal(run.report.steps.filter(({ caused_by }) => caused_by === "configuration").length, 13);
});

Deno.test("agent doctor distinguishes an unreachable page from a broken tunnel", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const args = ["--control", `http://${origin.host}/`, "--page", "http://10.0.0.1/"];
  const run = await runDoctor({ keys: keysOf(chain), args });
  run.assertCause("page", "page", 70);
  assert.match(run.step("page").detail, /private and other non-public addresses are refused/);
  await chain.server.stop();
});

Deno.test("agent doctor reports a full server", async () => {
  await using chain = await Chain.prepare({ server: { max_connections: 1 } });
  await chain.startServer();
  await chain.startAgent();
  await eventually("the agent is connected", async () => assert.equal((await health(chain)).connections, 1));
  await using origin = startHttpOrigin(() => new Response("hello"));
  const run = await runDoctor({ keys: keysOf(chain), args: ["--control", `http://${origin.host}/`] });
  run.assertCause("session", "turned_away", 66);
  await chain.finish();
});
