/** Purpose: `agent doctor` tells a server that sleeps from functions that do not do what they are asked. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { FakeFleet } from "../support/cloud/fake_fleet.ts";
import { examined, keysOf } from "../support/doctor.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { TestPki } from "../support/pki.ts";

interface Scene extends AsyncDisposable {
  readonly chain: Chain;
  readonly fleet: FakeFleet;
  examined(...args: string[]): ReturnType<typeof examined>;
}

async function scene(caPem?: string, keys: Record<string, string> = {}): Promise<Scene> {
  const chain = await Chain.prepare();
  const fleet = new FakeFleet(caPem ?? await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
  const origin = startHttpOrigin(() => new Response("hello"));
  const url = `http://${origin.host}/`;
  return {
    chain,
    fleet,
    examined: (...args) =>
      examined({
        keys: { ...keysOf(chain), ...fleet.keys as Record<string, string>, ...keys },
        args: ["--control", url, "--page", url, ...args],
      }),
    async [Symbol.asyncDispose]() {
      await chain[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

Deno.test("agent doctor knows a server that sleeps, and wakes it only when it is told to", async () => {
  await using all = await scene();
  const { chain, fleet } = all;
  const asleep = await all.examined();
  asleep.assertCause("fleet", "asleep", 45);
  assert.deepEqual([fleet.count("query"), fleet.count("wake")], [1, 0]);
  fleet.onWake = async () => {
    await chain.startServer();
    fleet.run(chain.serverPort);
  };
  const awake = await all.examined("--wake");
  assert.equal(awake.code, 0, JSON.stringify(awake.report));
  assert.match(
    awake.step("fleet").detail,
    /^a signed call was answered: servers run at 127\.0\.0\.1, port \d+$/,
  );
  assert.equal(fleet.count("wake"), 1);
  await chain.server.stop();
});

Deno.test("agent doctor does not wake a server for want of a query_endpoint", async () => {
  await using all = await scene(undefined, { query_endpoint: "" });
  (await all.examined()).assertCause("fleet", "asleep", 45);
  assert.deepEqual([all.fleet.count("query"), all.fleet.count("wake")], [0, 0]);
});

Deno.test("agent doctor knows functions that do not accept the agent's signature", async () => {
  const other = await TestPki.create();
  await using all = await scene(other.ca);
  (await all.examined()).assertCause("fleet", "wake_refused", 43);
});

Deno.test("agent doctor knows functions that fail, and tells what they say", async () => {
  await using all = await scene();
  all.fleet.answer = () =>
    Response.json({ error: { code: "service_missing", message: "Cannot find it" } }, { status: 404 });
  const examination = await all.examined();
  examination.assertCause("fleet", "wake", 42);
  assert.equal(examination.step("fleet").detail, "Cannot call query: Cannot find it");
});

Deno.test("agent doctor says that a revocation list has ended, as the functions do", async () => {
  await using all = await scene();
  const message = "Cannot query: the revocation list of CN=Test CA ended at 2026-01-01T00:00:00.000Z";
  all.fleet.answer = () => Response.json({ error: { code: "crl_ended", message } }, { status: 500 });
  const examination = await all.examined();
  examination.assertCause("fleet", "wake", 42);
  assert.equal(examination.step("fleet").detail, `Cannot call query: ${message}`);
});

Deno.test("agent doctor knows functions that do not answer, from those that answer what is no help", async () => {
  await using all = await scene(undefined, { query_endpoint: "http://127.0.0.1:1/query" });
  (await all.examined()).assertCause("fleet", "wake_unreachable", 41);
});

Deno.test("agent doctor tells why a server does not start, and one that is starting", async () => {
  await using all = await scene();
  all.fleet.status = { state: "starting", servers: [] };
  (await all.examined()).assertCause("fleet", "starting", 44);
  all.fleet.status = { state: "starting", servers: [], problem: "CannotPullContainerError" };
  const examination = await all.examined();
  examination.assertCause("fleet", "wake", 42);
  assert.match(examination.step("fleet").detail, /CannotPullContainerError/);
});

Deno.test("of several servers agent doctor looks at one that can be reached, as the agent does", async () => {
  await using all = await scene();
  await all.chain.startServer();
  all.fleet.run(1, all.chain.serverPort);
  const examination = await all.examined();
  assert.equal(examination.code, 0, JSON.stringify(examination.report));
  await all.chain.server.stop();
});
