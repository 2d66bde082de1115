/** Purpose: with local_proxy_auth the agent serves only clients with the password, which it sends to no one else. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";

const RIGHT = "alice:pässword:1";
const BASE64 = "YWxpY2U6cMOkc3N3b3JkOjE=";

Deno.test("curl is served with the right user name and password, over HTTP, CONNECT and SOCKS5", async () => {
  await using chain = await Chain.start({ agent: { local_proxy_auth: RIGHT, log_level: "debug" } });
  const seen: string[] = [];
  await using origin = startHttpOrigin((request) => {
    seen.push(JSON.stringify([...request.headers]));
    return new Response("hello");
  });
  const url = `http://${origin.host}/`;
  const ways = [
    ["--proxy", chain.proxyUrl],
    ["--proxytunnel", "--proxy", chain.proxyUrl],
    ["--proxy", chain.proxyUrl, "-H", "Upgrade: websocket", "-H", "Connection: Upgrade"],
    ["--socks5-hostname", `127.0.0.1:${chain.proxyPort}`],
  ];
  for (const way of ways) {
    const { text, errors } = await curl([...way, "--proxy-user", RIGHT, url]);
    assert.equal(text, "hello", errors);
    for (const wrong of [[], ["--proxy-user", "alice:wrong"]]) {
      const refused = await curl([...way, ...wrong, "-w", "%{http_code}/%{http_connect}", url]);
      assert.doesNotMatch(refused.text, /hello/);
      if (way[0] === "--socks5-hostname") assert.equal(refused.code, 97, refused.errors);
      else assert.match(refused.text, /407\/\d+$|\/407$/);
    }
  }
  assert.equal(seen.length, ways.length);
  assert.doesNotMatch(seen.join(), /proxy-auth/i);
  await chain.finish();
  for (const text of [chain.agent.log.text, chain.server.log.text, chain.server.out.text, ...seen]) {
    assert.equal(text.includes("pässword"), false);
    assert.equal(text.includes(BASE64), false);
  }
});

Deno.test("an agent that listens beyond loopback warns, unless it requires a password", async () => {
  const warning = /^proxy open to other machines/;
  for (
    const [agent, warns] of [
      [{ local_proxy_host: "0.0.0.0" }, true],
      [{ local_proxy_host: "0.0.0.0", local_proxy_auth: RIGHT }, false],
      [{}, false],
    ] as const
  ) {
    await using chain = await Chain.start({ agent });
    await chain.finish();
    const found = chain.agent.log.lines.filter(({ message }) => warning.test(message));
    assert.deepEqual(found.map(({ fields }) => fields["level"]), warns ? ["WARN"] : []);
  }
});
