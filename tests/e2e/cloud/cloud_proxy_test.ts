/**
 * Purpose: behind a corporate proxy, Wake, Query and Kill are called through it, as the tunnel is, and clients that wait
 * for the server get the answer of the proxy as the reason.
 */
import assert from "node:assert/strict";
import { ACTIONS } from "../../../shared/cloud/call.ts";
import { Chain } from "../../support/programs/chain.ts";
import { FakeFleet } from "../../support/cloud/fake_fleet.ts";
import { curl } from "../../support/clients/curl.ts";
import { eventually } from "../../support/eventually.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startProxy } from "../../support/proxies/proxy_program.ts";
import { CREDENTIALS, forEachProxy } from "../../support/proxies/proxy_tests.ts";
import { believing } from "../../support/origins/public_root.ts";
import { servingCertificate } from "../../support/pki/serving_certificate.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { agentStatus } from "../../support/programs/status.ts";

interface Scene extends AsyncDisposable {
  readonly chain: Chain;
  readonly fleet: FakeFleet;
  /** Starts the agent behind a proxy, whose address may have user and password. */
  startAgent(proxy: string): Promise<void>;
}

/** Functions that speak TLS as in the cloud, and an agent that trusts their root like a public one. */
async function scene(): Promise<Scene> {
  const chain = await Chain.prepare();
  const tls = await servingCertificate();
  const fleet = new FakeFleet(await Deno.readTextFile(`${chain.dir}/certs/ca.crt`), tls);
  const root = `${chain.dir}/public.crt`;
  await Deno.writeTextFile(root, tls.ca);
  return {
    chain,
    fleet,
    startAgent: (proxy) =>
      chain.startAgent(believing(root), { ...fleet.keys, upstream_proxy: `http://${proxy}` }),
    async [Symbol.asyncDispose]() {
      await chain[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

/** The refusal is in the log, in the status, and in the answer to an impatient client. */
async function assertTold({ chain, fleet }: Scene, reason: RegExp): Promise<void> {
  const { fields } = await chain.agent.log.waitFor("server not found");
  assert.match(String(fields["error"]), reason);
  await eventually("the status has the reason", async () => {
    const { state, error } = await agentStatus(chain);
    assert.equal(state, "asleep");
    assert.match(error ?? "", reason);
  });
  const { text } = await curl(["-x", chain.proxyUrl, "http://127.0.0.1:9/"]);
  assert.match(text, /^503 /);
  assert.match(text, reason);
  assert.match(text, /through the proxy 127\.0\.0\.1:\d+: /);
  assert.deepEqual(ACTIONS.map((action) => fleet.count(action)), ACTIONS.map(() => 0));
  assert.equal((await chain.agent.stop()).code, 0);
}

await forEachProxy((kind, test) => {
  for (const credentials of [undefined, CREDENTIALS]) {
    const how = credentials === undefined ? "" : ", with user and password";
    test(`the server is woken, found, used and stopped through ${kind}${how}`, async (program) => {
      await using all = await scene();
      const { chain, fleet } = all;
      await using proxy = await startProxy(kind, program, chain.dir, credentials);
      fleet.onWake = async () => {
        await chain.startServer();
        fleet.run(chain.serverPort);
      };
      const login = credentials === undefined ? "" : `${credentials.user}:${credentials.password}@`;
      await all.startAgent(`${login}127.0.0.1:${proxy.port}`);
      await using origin = startHttpOrigin(() => new Response("hello"));
      const { text, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
      assert.equal(text, "hello", `${errors}\n${chain.agent.log.text}`);
      assert.equal((await chain.agent.stop()).code, 0);
      await chain.agent.log.waitFor("server stopped, no other agent is connected");
      for (const action of ACTIONS) assert.ok(fleet.count(action) > 0, `${action} was called`);
      // Every call has its own connection: as many went through the proxy as arrived.
      const calls = ACTIONS.reduce((sum, action) => sum + fleet.count(action), 0);
      await eventually(`${kind} logs its targets`, async () => {
        const targets = await proxy.connected();
        assert.equal(targets.filter((target) => target === fleet.host).length, calls);
        assert.ok(targets.includes(`127.0.0.1:${chain.serverPort}`), "the tunnel");
      });
      assert.ok(!chain.agent.log.text.includes(CREDENTIALS.password), "the password is in the log");
      await chain.server.stop();
    });
  }

  test(`a waiting client learns that ${kind} requires user and password, or refuses them`, async (program) => {
    const logins = {
      "": /it requires a user and a password \(407\)/,
      "alice:no@": /it does not accept the user/,
    };
    for (const [login, reason] of Object.entries(logins)) {
      await using all = await scene();
      await using proxy = await startProxy(kind, program, all.chain.dir, CREDENTIALS);
      await all.startAgent(`${login}127.0.0.1:${proxy.port}`);
      await assertTold(all, reason);
    }
  });

  test(`a waiting client learns that ${kind} forbids the address of the functions`, async (program) => {
    await using all = await scene();
    await using proxy = await startProxy(kind, program, all.chain.dir, undefined, { only443: true });
    await all.startAgent(`127.0.0.1:${proxy.port}`);
    await assertTold(all, /it forbids this \(403.*: ask its administrator to allow it/);
  });
});

/** Answers of captive portals, and the reason that the agent gives. */
const PAGES: Readonly<Record<string, [head: string, reason: RegExp]>> = {
  "leads to a page": [
    "302 Found\r\nLocation: http://portal.example/",
    /it answers 302 Found and a page.*log in/,
  ],
  "answers with a page": ["200 OK", /it answers 200 OK and a page, .*log in/],
  "forbids with a page": ["403 Forbidden", /it forbids this \(403 and a page/],
};
for (const [what, [head, reason]] of Object.entries(PAGES)) {
  Deno.test(`a waiting client learns that the proxy ${what} instead of Wake`, async () => {
    await using all = await scene();
    const page =
      `HTTP/1.1 ${head}\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>`;
    await using portal = startTcpOrigin(async (client) => {
      await client.read(new Uint8Array(4_096));
      await client.write(new TextEncoder().encode(page));
    });
    await all.startAgent(portal.host);
    await assertTold(all, reason);
  });
}
