/** Purpose: `agent doctor` passes every step where all is well, as a real program with a real server. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { environmentOf, examined, keysOf } from "../support/doctor.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { startProgram } from "../support/programs.ts";
import { health } from "../support/zero.ts";
import { eventually } from "../support/eventually.ts";

Deno.test("agent doctor finds nothing in the way where nothing is, and leaves nothing behind", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const url = `http://${origin.host}/`;
  const examination = await examined({ keys: keysOf(chain), args: ["--control", url, "--page", url] });
  const outcomes = examination.report.steps.map(({ name, outcome }) => `${name} ${outcome}`);
  assert.deepEqual(outcomes, [
    "configuration pass",
    "ports pass",
    "proxy skipped",
    "control pass",
    "clock pass",
    "certificate pass",
    "names skipped",
    "fleet skipped",
    "server pass",
    "tls pass",
    "session pass",
    "speed pass",
    "page pass",
  ], JSON.stringify(examination.report));
  assert.deepEqual([examination.code, examination.report.ok, examination.report.cause], [0, true, undefined]);
  assert.match(
    examination.step("speed").detail,
    /^a round trip takes [\d.]+ ms, and about [\d.]+ Mbit\/s come/,
  );
  assert.match(examination.step("page").detail, /answers 200/);
  // What is only measured is nobody's traffic.
  const metrics = await (await fetch(`http://127.0.0.1:${chain.healthPort}/metrics`)).text();
  const out = /^sallyport_user_bytes_total\{direction="out"\} (\d+)$/m.exec(metrics)?.[1];
  assert.ok(Number(out) < 65_536, metrics);
  await eventually("it hung up", async () => assert.equal((await health(chain)).connections, 0));
  await chain.server.stop();
});

Deno.test("agent doctor tells people each step, what a failure means and what to do", async () => {
  await using chain = await Chain.prepare();
  const env = environmentOf(keysOf(chain));
  await using origin = startHttpOrigin(() => new Response("hello"));
  const args = ["doctor", "--control", `http://${origin.host}/`];
  await using program = await startProgram("agent", args, { env });
  assert.equal((await program.ended).code, 50, program.log.text);
  const { text } = program.out;
  assert.match(text, /^ok {3}configuration the server is 127\.0\.0\.1, port 1$/m);
  assert.match(text, /^FAIL server {8}Cannot connect to 127\.0\.0\.1:1: the connection was refused$/m);
  assert.match(text, /^ {19}means: The server.s machine.*\n {19}do: Check that the server runs/m);
  assert.match(text, /^- {4}tls {11}not looked at, because of "server"$/m);
  assert.match(text, /\nWhat stands in the way is "server" \(refused, exit code 50\)\.\n$/);
});

Deno.test("agent doctor tells the agent that runs from a program that has its port", async () => {
  await using chain = await Chain.start();
  const ports = { local_proxy_port: chain.proxyPort, console_port: chain.consolePort };
  await using origin = startHttpOrigin(() => new Response("hello"));
  const url = `http://${origin.host}/`;
  const args = ["--control", url, "--page", url];
  const beside = await examined({ keys: { ...keysOf(chain), ...ports }, args });
  assert.match(beside.step("ports").detail, /^an agent runs here already, and says that it is \w+$/);
  assert.equal(beside.code, 0);
  // The console is an agent's, and the other port is not.
  const own = { console_port: chain.consolePort, local_proxy_port: origin.port };
  const taken = await examined({ keys: { ...keysOf(chain), ...own }, args });
  taken.assertCause("ports", "ports", 11);
  assert.match(taken.step("ports").detail, /the port is taken by another program/);
  // It stands in nobody's way but the agent's own.
  assert.equal(taken.step("page").outcome, "pass");
  await chain.finish();
});

Deno.test("agent doctor tells what is wrong with the configuration, and looks no further", async () => {
  await using chain = await Chain.prepare();
  const examination = await examined({ keys: { ...keysOf(chain), server_port: "many" } });
  examination.assertCause("configuration", "configuration", 10);
  assert.match(examination.step("configuration").detail, /SALLYPORT_SERVER_PORT/);
  assert.equal(examination.report.steps.filter(({ because }) => because === "configuration").length, 12);
});

Deno.test("agent doctor tells a page that cannot be had from a tunnel that is broken", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using origin = startHttpOrigin(() => new Response("hello"));
  const args = ["--control", `http://${origin.host}/`, "--page", "http://10.0.0.1/"];
  const examination = await examined({ keys: keysOf(chain), args });
  examination.assertCause("page", "page", 70);
  assert.match(examination.step("page").detail, /private and other non-public addresses are refused/);
  await chain.server.stop();
});

Deno.test("agent doctor tells a server that is full", async () => {
  await using chain = await Chain.prepare({ server: { max_connections: 1 } });
  await chain.startServer();
  await chain.startAgent();
  await eventually("the agent is in", async () => assert.equal((await health(chain)).connections, 1));
  await using origin = startHttpOrigin(() => new Response("hello"));
  const examination = await examined({ keys: keysOf(chain), args: ["--control", `http://${origin.host}/`] });
  examination.assertCause("session", "turned_away", 66);
  await chain.finish();
});
