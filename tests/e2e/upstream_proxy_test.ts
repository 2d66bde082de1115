/**
 * Purpose: behind a corporate proxy the tunnel goes through it, with user and password where it wants them, and
 * what a proxy answers in place of a connection is told apart.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { curl } from "../support/curl.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { startProxy } from "../support/proxies/proxy_program.ts";
import { CREDENTIALS, forEachProxy } from "../support/proxies/proxy_tests.ts";
import { testBytes } from "../support/test_bytes.ts";

const BODY = testBytes(1_000_000, 7);

await forEachProxy((kind, test) => {
  for (const credentials of [undefined, CREDENTIALS]) {
    const how = credentials === undefined ? "" : " that wants user and password";
    test(`traffic goes through ${kind}${how}`, async (program) => {
      await using chain = await Chain.prepare();
      await using proxy = await startProxy(kind, program, chain.dir, credentials);
      const login = credentials === undefined ? "" : `${credentials.user}:${credentials.password}@`;
      Object.assign(chain.options, { agent: { upstream_proxy: `http://${login}127.0.0.1:${proxy.port}` } });
      await chain.startServer();
      await chain.startAgent();
      await using origin = startHttpOrigin(() => new Response(BODY));
      const { body, errors } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
      assert.deepEqual(body, BODY, errors);
      assert.ok(!chain.agent.log.text.includes(CREDENTIALS.password), "the password is in the log");
      await chain.finish();
    });
  }

  test(`${kind} that wants user and password says so, and so does a client's error`, async (program) => {
    for (
      const [login, reason] of [["", /wants a user and a password \(407\)/], [
        "alice:no@",
        /does not accept the user/,
      ]] as const
    ) {
      await using chain = await Chain.prepare();
      await using proxy = await startProxy(kind, program, chain.dir, CREDENTIALS);
      Object.assign(chain.options, { agent: { upstream_proxy: `http://${login}127.0.0.1:${proxy.port}` } });
      await chain.startServer();
      await chain.startAgent();
      const { fields } = await chain.agent.log.waitFor("connecting failed");
      assert.match(String(fields["reason"]), reason);
      await chain.agent.stop();
      await chain.server.stop();
    }
  });
});
