/**
 * Purpose: the tunnel goes through a corporate proxy, with user and password if required, and the proxy's errors are
 * distinguished.
 */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startProxy } from "../../support/proxies/proxy_program.ts";
import { CREDENTIALS, forEachProxy } from "../../support/proxies/proxy_tests.ts";
import { testBytes } from "../../support/test_bytes.ts";

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

  test(`the error of ${kind} that requires a login is logged and shown to clients`, async (program) => {
    for (
      const [login, reason] of [["", /requires a user and a password \(407\)/], [
        "alice:no@",
        /does not accept the user/,
      ]] as const
    ) {
      await using chain = await Chain.prepare();
      await using proxy = await startProxy(kind, program, chain.dir, CREDENTIALS);
      Object.assign(chain.options, { agent: { upstream_proxy: `http://${login}127.0.0.1:${proxy.port}` } });
      await chain.startServer();
      await chain.startAgent();
      const { fields } = await chain.agent.log.waitFor("connection failed");
      assert.match(String(fields["error"]), reason);
      await chain.agent.stop();
      await chain.server.stop();
    }
  });
});
