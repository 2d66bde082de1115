/** Purpose: the console serves a proxy script made from the agent's lists, which web pages cannot read. */
import assert from "node:assert/strict";
import vm from "node:vm";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";

Deno.test("the console's proxy script has the lists and the proxy's port", async () => {
  const agent = {
    bypass: ["*.corp.example", "10.0.0.0/8"],
    block: ["10.9.0.0/16:80"],
    local_proxy_host: "0.0.0.0",
  };
  await using chain = await Chain.start({ agent });
  const url = `http://127.0.0.1:${chain.consolePort}/proxy.pac`;
  const response = await fetch(url);
  const script = await response.text();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/x-ns-proxy-autoconfig");
  // Otherwise a web page could run it as a script and learn the lists.
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("cross-origin-resource-policy"), "same-origin");
  const context = vm.createContext({});
  vm.runInContext(script, context);
  const find = (url: string, host: string) =>
    vm.runInContext(`FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(host)})`, context);
  const proxy = `PROXY 127.0.0.1:${chain.proxyPort}`;
  assert.equal(find("https://wiki.corp.example/", "wiki.corp.example"), "DIRECT");
  assert.equal(
    find("http://wiki.corp.example/", "wiki.corp.example"),
    proxy,
    "the agent judges where it leads",
  );
  assert.equal(find("http://10.9.0.1/", "10.9.0.1"), proxy, "the agent shows its refusal page");
  assert.equal(find("https://example.org/", "example.org"), proxy);
  await chain.finish();
});

Deno.test("the console answers only to its own names, against DNS rebinding", async () => {
  await using chain = await Chain.start();
  const at = `127.0.0.1:${chain.consolePort}`;
  for (const [host, expected] of [["evil.example", "421"], ["localhost", "200"], [at, "200"]] as const) {
    for (const path of ["proxy.pac", "status"]) {
      const { text } = await curl([
        "-H",
        `Host: ${host}`,
        "-o",
        "-",
        "-w",
        "[%{http_code}]",
        `http://${at}/${path}`,
      ]);
      assert.ok(text.endsWith(`[${expected}]`), `${host} ${path}: ${text}`);
    }
  }
  await chain.finish();
});
