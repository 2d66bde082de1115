import assert from "node:assert/strict";
import { parseProxyUrl } from "./upstream_proxy.ts";
import { findUpstream, ignoredVariablesWarning, isOwnProxy, proxyFor, type Upstream } from "./upstream.ts";

function upstream(configured: string, environment: Record<string, string> = {}): Upstream {
  const found = findUpstream({ configured, environment });
  assert.ok(found !== undefined && "proxy" in found, JSON.stringify(found));
  return found;
}

Deno.test("a proxy URL may contain user and password, sent as Basic", () => {
  const proxy = parseProxyUrl("http://us%20er:p%40ss@proxy.example:3128");
  assert.equal(proxy?.url.href, "http://proxy.example:3128/");
  assert.equal(proxy?.authorization, `Basic ${btoa("us er:p@ss")}`);
  assert.equal(parseProxyUrl("proxy.example:3128")?.url.href, "http://proxy.example:3128/");
  assert.equal(parseProxyUrl("https://proxy.example")?.authorization, undefined);
});

for (
  const text of [
    "socks5://a:1",
    "http://",
    "http://a/path",
    "http://a?q",
    "http://%:b@a",
    "http://a%3Ab:c@d",
    "",
  ]
) {
  Deno.test(`"${text}" is not a proxy URL`, () => assert.equal(parseProxyUrl(text), undefined));
}

Deno.test("the configuration wins over the environment, and direct over both", () => {
  const environment = { HTTPS_PROXY: "http://env.example:1" };
  assert.equal(upstream("http://file.example:2", environment).proxy.url.host, "file.example:2");
  assert.equal(upstream("", environment).proxy.url.host, "env.example:1");
  assert.equal(upstream("", { https_proxy: "env.example:1" }).source, "https_proxy");
  assert.equal(findUpstream({ configured: "direct", environment }), undefined);
  assert.equal(findUpstream({ configured: "", environment: {} }), undefined);
  assert.equal(findUpstream({ configured: "", environment: { HTTPS_PROXY: "" } }), undefined);
});

Deno.test("a variable that is not a URL is named without its value", () => {
  const found = findUpstream({ configured: "", environment: { HTTPS_PROXY: "ftp://u:secret@a" } });
  assert.deepEqual(found, { problem: "Cannot use HTTPS_PROXY: it is not a URL such as http://host:port" });
});

Deno.test("NO_PROXY exempts targets, wherever the proxy is configured", () => {
  const environment = { HTTPS_PROXY: "http://a:1", NO_PROXY: "corp.example" };
  for (const found of [upstream("", environment), upstream("http://b:1", environment)]) {
    assert.equal(proxyFor(found, "x.corp.example", 443), undefined);
    assert.equal(proxyFor(found, "other.example", 443), found.proxy);
  }
  assert.equal(proxyFor(undefined, "other.example", 443), undefined);
});

Deno.test("targets on this machine use a configured proxy, but not one of the environment", () => {
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    assert.equal(proxyFor(upstream("", { HTTPS_PROXY: "http://a:1" }), host, 443), undefined);
    assert.ok(proxyFor(upstream("http://a:1"), host, 443));
  }
});

Deno.test("isOwnProxy recognizes the address of the agent", () => {
  const own = { host: "127.0.0.1", port: 8080 };
  for (
    const url of [
      "http://127.0.0.1:8080",
      "http://localhost:8080",
      "http://[::1]:8080",
      "http://127.0.0.9:8080",
      "http://0.0.0.0:8080",
      "http://[::]:8080",
      "http://localhost.:8080",
      "http://my.localhost:8080",
    ]
  ) {
    assert.equal(isOwnProxy(upstream(url), own), true, url);
  }
  for (const url of ["http://127.0.0.1:8081", "http://192.0.2.1:8080", "http://127.0.0.1"]) {
    assert.equal(isOwnProxy(upstream(url), own), false, url);
  }
  assert.equal(isOwnProxy(upstream("http://192.0.2.1:8080"), { host: "192.0.2.1", port: 8080 }), true);
  assert.equal(isOwnProxy(upstream("http://MyBox:8080"), own, "mybox\n"), true);
  assert.equal(isOwnProxy(upstream("http://other:8080"), own, "mybox\n"), false);
});

Deno.test("the warning about ignored variables agrees in number", () => {
  assert.match(
    ignoredVariablesWarning(["HTTPS_PROXY"]),
    /^HTTPS_PROXY names this agent itself and is not used: /,
  );
  assert.match(
    ignoredVariablesWarning(["HTTPS_PROXY", "https_proxy"]),
    /^HTTPS_PROXY and https_proxy name this agent itself and are not used: /,
  );
});
