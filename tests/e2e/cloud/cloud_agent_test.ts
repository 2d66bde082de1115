/**
 * Purpose: an agent wakes a sleeping server when it is needed, finds its address, and leaves it asleep otherwise. The
 * functions are fakes, the programs are real.
 */
import assert from "node:assert/strict";
import { ACTIONS } from "../../../shared/cloud/call.ts";
import { Chain } from "../../support/programs/chain.ts";
import { FakeFleet } from "../../support/cloud/fake_fleet.ts";
import { assertServed, beginToServe, type Scene, scene } from "../../support/cloud/sleeping_chain.ts";
import { curl, startCurl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { believing } from "../../support/origins/public_root.ts";
import { servingCertificate } from "../../support/pki/serving_certificate.ts";
import { agentStatus } from "../../support/programs/status.ts";

function stateIs({ chain }: Scene, state: string): Promise<void> {
  return eventually(
    `the agent is ${state}`,
    async () => assert.equal((await agentStatus(chain)).state, state),
  );
}

Deno.test("the agent wakes the server when it starts, holds the first request, and logs the progress", async () => {
  await using all = await scene();
  const { chain, fleet } = all;
  await chain.startAgent();
  await stateIs(all, "waking");
  const held = startCurl(["-x", chain.proxyUrl, `http://${all.origin.host}/`]);
  const { fields } = await chain.agent.log.waitFor("waiting for the server");
  assert.equal(fields["state"], "starting");
  assert.ok(Number(fields["retry_in_ms"]) > 0);
  assert.equal((await agentStatus(chain)).fleet, "starting");
  await chain.startServer();
  fleet.run(chain.serverPort);
  assert.equal(new TextDecoder().decode((await held.output()).stdout), "hello");
  assert.equal(fleet.count("wake"), 1);
  await chain.finish();
});

Deno.test("a sleeping server stays asleep until a request comes, which is held until the server runs", async () => {
  await using all = await scene({ kill_on_exit: false });
  const { chain, fleet } = all;
  await beginToServe(all);
  await chain.server.stop();
  fleet.status = { state: "stopped", servers: [] };
  await stateIs(all, "asleep");
  const asked = [fleet.count("wake"), fleet.count("query")];
  // Requests to the console and its health check do not wake the server.
  for (let i = 0; i < 5; i++) await agentStatus(chain);
  const health = await fetch(`http://127.0.0.1:${chain.consolePort}/health`);
  assert.deepEqual(await health.json(), { state: "asleep" });
  assert.deepEqual([fleet.count("wake"), fleet.count("query")], asked);
  fleet.onWake = async () => {
    await chain.startServer();
    fleet.run(chain.serverPort);
  };
  await assertServed(all);
  assert.equal(fleet.count("wake"), asked[0]! + 1);
  await chain.finish();
});

Deno.test("a server that restarts at another address is found by Query, without a request", async () => {
  await using all = await scene({ kill_on_exit: false });
  const { chain, fleet } = all;
  await chain.startServer();
  fleet.run(chain.serverPort);
  await chain.startAgent();
  await stateIs(all, "ready");
  const { count } = { count: fleet.count("wake") };
  await chain.server.stop();
  chain.serverPort = 0;
  await chain.startServer();
  fleet.run(chain.serverPort);
  await stateIs(all, "ready");
  await assertServed(all);
  assert.equal(fleet.count("wake"), count);
  await chain.finish();
});

Deno.test("an agent without a query_endpoint polls Wake", async () => {
  await using all = await scene({ query_endpoint: "", kill_on_exit: false });
  const { chain, fleet } = all;
  await chain.startAgent();
  await eventually("Wake is called again", () => assert.ok(fleet.count("wake") >= 2));
  await chain.startServer();
  fleet.run(chain.serverPort);
  await assertServed(all);
  assert.equal(fleet.count("query"), 0);
  await chain.finish();
});

Deno.test("a server that does not answer is skipped for another one", async () => {
  await using all = await scene({ kill_on_exit: false });
  const { chain, fleet } = all;
  await chain.startServer();
  // Nothing listens at port 1.
  fleet.run(1, chain.serverPort);
  await chain.startAgent();
  await assertServed(all);
  await chain.finish();
});

Deno.test("requests are refused with the reason when the server does not start in time", async () => {
  await using all = await scene({ wake_timeout: "1s" });
  const { chain, fleet } = all;
  fleet.onWake = () => {
    fleet.status = { state: "starting", servers: [], problem: "CannotPullContainerError" };
  };
  await chain.startAgent();
  const { text } = await curl(["-x", chain.proxyUrl, `http://${all.origin.host}/`]);
  assert.match(
    text,
    /Cannot wake the server within 1 s \(wake_timeout\): CannotPullContainerError|within 1 s/,
  );
  await chain.agent.stop();
});

Deno.test("functions are called over TLS with public roots only", async () => {
  const tls = await servingCertificate();
  await using chain = await Chain.prepare();
  await using fleet = new FakeFleet(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`), tls);
  await using origin = startHttpOrigin(() => new Response("hello"));
  const root = `${chain.dir}/public.crt`;
  await Deno.writeTextFile(root, tls.ca);
  await chain.startServer();
  fleet.run(chain.serverPort);
  await chain.startAgent({}, fleet.keys);
  const refused = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.match(refused.text, /^503 /);
  assert.match(
    refused.text,
    /its certificate is not that of a public site .* something on the path may intercept TLS/,
  );
  await chain.agent.stop();
  assert.deepEqual(ACTIONS.map((action) => fleet.count(action)), ACTIONS.map(() => 0));
  await chain.startAgent(believing(root), { ...fleet.keys, kill_on_exit: false });
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
  assert.equal(text, "hello", `${errors}\n${chain.agent.log.text}`);
  await chain.finish();
});

/** Answers of the functions, and the reason that a client gets. */
const FAILURES: Readonly<Record<string, [() => Response, RegExp]>> = {
  "refuses the call": [
    () => new Response("", { status: 401 }),
    /the call was not authorized; check that this machine's clock/,
  ],
  "does not find the service": [
    () => Response.json({ error: { code: "service_missing", message: "Cannot find it" } }, { status: 404 }),
    /Cannot call wake: Cannot find it/,
  ],
  "lacks a permission": [
    () => Response.json({ error: { code: "not_allowed", message: "Cannot look" } }, { status: 500 }),
    /Cannot call wake: Cannot look/,
  ],
  "answers with a page": [
    () => new Response("<html>", { headers: { "content-type": "text/html" } }),
    /is not a Sallyport function/,
  ],
  "is forbidden": [() => Response.json({ Message: "Forbidden" }, { status: 403 }), /answered 403/],
};
for (const [what, [answer, reason]] of Object.entries(FAILURES)) {
  Deno.test(`a request is refused at once with the reason when Wake ${what}`, async () => {
    await using all = await scene();
    const { chain, fleet } = all;
    fleet.answer = answer;
    await chain.startAgent();
    await stateIs(all, "asleep");
    const { text } = await curl(["-x", chain.proxyUrl, `http://${all.origin.host}/`]);
    assert.match(text, reason);
    assert.match((await agentStatus(chain)).error ?? "", reason);
    // The problem is fixed.
    fleet.answer = undefined;
    await chain.agent.stop();
  });
}

Deno.test("a throttled Wake is called again", async () => {
  await using all = await scene({ kill_on_exit: false });
  const { chain, fleet } = all;
  let refused = 0;
  fleet.answer = () =>
    refused++ < 2 ? new Response("", { status: 429, headers: { "retry-after": "1" } }) : undefined;
  await chain.startServer();
  fleet.onWake = () => fleet.run(chain.serverPort);
  await chain.startAgent();
  await assertServed(all);
  assert.equal(fleet.count("wake"), 3);
  await chain.finish();
});
