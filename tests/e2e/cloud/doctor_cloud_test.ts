/** Purpose: `agent doctor` distinguishes a sleeping server from functions that fail. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { FakeFleet } from "../../support/cloud/fake_fleet.ts";
import { keysOf, runDoctor } from "../../support/programs/doctor.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { TestPki } from "../../support/pki/pki.ts";

interface Scene extends AsyncDisposable {
  readonly chain: Chain;
  readonly fleet: FakeFleet;
  doctor(...args: string[]): ReturnType<typeof runDoctor>;
}

async function scene(caPem?: string, keys: Record<string, string> = {}): Promise<Scene> {
  const chain = await Chain.prepare();
  const fleet = new FakeFleet(caPem ?? await Deno.readTextFile(`${chain.dir}/certs/ca.crt`));
  const origin = startHttpOrigin(() => new Response("hello"));
  const url = `http://${origin.host}/`;
  return {
    chain,
    fleet,
    doctor: (...args) =>
      runDoctor({
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

Deno.test("agent doctor reports a server that is asleep, and wakes it only with --wake", async () => {
  await using all = await scene();
  const { chain, fleet } = all;
  const asleep = await all.doctor();
  asleep.assertCause("fleet", "asleep", 45);
  assert.deepEqual([fleet.count("query"), fleet.count("wake")], [1, 0]);
  fleet.onWake = async () => {
    await chain.startServer();
    fleet.run(chain.serverPort);
  };
  const awake = await all.doctor("--wake");
  assert.equal(awake.code, 0, JSON.stringify(awake.report));
  assert.match(
    awake.step("fleet").detail,
    /^signed call answered: servers run at 127\.0\.0\.1, port \d+$/,
  );
  assert.equal(fleet.count("wake"), 1);
  await chain.server.stop();
});

Deno.test("agent doctor does not wake a server if query_endpoint is not set", async () => {
  await using all = await scene(undefined, { query_endpoint: "" });
  (await all.doctor()).assertCause("fleet", "asleep", 45);
  assert.deepEqual([all.fleet.count("query"), all.fleet.count("wake")], [0, 0]);
});

Deno.test("agent doctor reports functions that do not accept the agent's signature", async () => {
  const other = await TestPki.create();
  await using all = await scene(other.ca);
  (await all.doctor()).assertCause("fleet", "wake_refused", 43);
});

Deno.test("agent doctor reports functions that fail, with their message", async () => {
  await using all = await scene();
  all.fleet.answer = () =>
    Response.json({ error: { code: "service_missing", message: "Cannot find it" } }, { status: 404 });
  const run = await all.doctor();
  run.assertCause("fleet", "wake", 42);
  assert.equal(run.step("fleet").detail, "Cannot call query: Cannot find it");
});

Deno.test("agent doctor reports an expired revocation list, like the functions", async () => {
  await using all = await scene();
  const message = "Cannot query: the revocation list of CN=Test CA expired on 2026-01-01T00:00:00.000Z";
  all.fleet.answer = () => Response.json({ error: { code: "crl_ended", message } }, { status: 500 });
  const run = await all.doctor();
  run.assertCause("fleet", "wake", 42);
  assert.equal(run.step("fleet").detail, `Cannot call query: ${message}`);
});

Deno.test("agent doctor distinguishes functions that do not answer from unusable answers", async () => {
  await using all = await scene(undefined, { query_endpoint: "http://127.0.0.1:1/query" });
  (await all.doctor()).assertCause("fleet", "wake_unreachable", 41);
});

Deno.test("agent doctor reports a starting server, and why one does not start", async () => {
  await using all = await scene();
  all.fleet.status = { state: "starting", servers: [] };
  (await all.doctor()).assertCause("fleet", "starting", 44);
  all.fleet.status = { state: "starting", servers: [], problem: "CannotPullContainerError" };
  const run = await all.doctor();
  run.assertCause("fleet", "wake", 42);
  assert.match(run.step("fleet").detail, /CannotPullContainerError/);
});

Deno.test("agent doctor uses a reachable one of several servers, like the agent", async () => {
  await using all = await scene();
  await all.chain.startServer();
  all.fleet.run(1, all.chain.serverPort);
  const run = await all.doctor();
  assert.equal(run.code, 0, JSON.stringify(run.report));
  await all.chain.server.stop();
});
