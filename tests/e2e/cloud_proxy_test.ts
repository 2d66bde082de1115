/**
 * Purpose: behind a corporate proxy Wake, Query and Kill are called through it, as the tunnel goes through it, and
 * what the proxy answers in place of a connection is told to whoever waits for the server.
 */
import assert from "node:assert/strict";
import { ACTIONS } from "../../shared/cloud/call.ts";
import { Chain } from "../support/chain.ts";
import { FakeFleet } from "../support/cloud/fake_fleet.ts";
import { curl } from "../support/curl.ts";
import { eventually } from "../support/eventually.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { startProxy } from "../support/proxies/proxy_program.ts";
import { CREDENTIALS, forEachProxy } from "../support/proxies/proxy_tests.ts";
import { believing } from "../support/public_root.ts";
import { servingCertificate } from "../support/serving_certificate.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";
import { agentStatus } from "../support/zero.ts";

interface Scene extends AsyncDisposable {
  readonly chain: Chain;
  readonly fleet: FakeFleet;
  /** Starts the agent behind a proxy, whose address may have user and password. */
  startAgent(proxy: string): Promise<void>;
}

/** Functions that speak TLS as the cloud's do, and an agent that believes their root as it does public ones. */
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

/** The refusal is in the log, in the status, and in what a client gets that does not wait for long. */
async function assertTold({ chain, fleet }: Scene, reason: RegExp): Promise<void> {
  const { fields } = await chain.agent.log.waitFor("the server was not found");
  assert.match(String(fields["reason"]), reason);
  await eventually("the agent tells why it cannot wake the server", async () => {
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
      await chain.agent.log.waitFor("the server is stopped: no other agent uses it");
      for (const action of ACTIONS) assert.ok(fleet.count(action) > 0, `${action} was called`);
      // Every call has a connection of its own: as many went through the proxy as arrived.
      const calls = ACTIONS.reduce((sum, action) => sum + fleet.count(action), 0);
      await eventually(`${kind} tells whom it connected to`, async () => {
        const targets = await proxy.connected();
        assert.equal(targets.filter((target) => target === fleet.host).length, calls);
        assert.ok(targets.includes(`127.0.0.1:${chain.serverPort}`), "the tunnel");
      });
      assert.ok(!chain.agent.log.text.includes(CREDENTIALS.password), "the password is in the log");
      await chain.server.stop();
    });
  }

  test(`whoever waits is told that ${kind} wants user and password, or does not take them`, async (program) => {
    const logins = {
      "": /it wants a user and a password \(407\)/,
      "alice:no@": /it does not accept the user/,
    };
    for (const [login, reason] of Object.entries(logins)) {
      await using all = await scene();
      await using proxy = await startProxy(kind, program, all.chain.dir, CREDENTIALS);
      await all.startAgent(`${login}127.0.0.1:${proxy.port}`);
      await assertTold(all, reason);
    }
  });

  test(`whoever waits is told that ${kind} forbids the address of the functions`, async (program) => {
    await using all = await scene();
    await using proxy = await startProxy(kind, program, all.chain.dir, undefined, { only443: true });
    await all.startAgent(`127.0.0.1:${proxy.port}`);
    await assertTold(all, /it forbids this \(403.*: ask whoever runs it to allow it/);
  });
});

/** How portals answer whatever they are asked, and what is said of it. */
const PAGES: Readonly<Record<string, [head: string, reason: RegExp]>> = {
  "leads to a page": [
    "302 Found\r\nLocation: http://portal.example/",
    /it answers 302 Found and a page.*log in/,
  ],
  "answers with a page": ["200 OK", /it answers 200 OK and a page, .*log in/],
  "forbids with a page": ["403 Forbidden", /it forbids this \(403 and a page/],
};
for (const [what, [head, reason]] of Object.entries(PAGES)) {
  Deno.test(`whoever waits is told that the proxy ${what} in place of Wake`, async () => {
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
