import assert from "node:assert/strict";
import { withReason } from "../../tests/support/with_reason.ts";
import { proxyEnvironment } from "./proxy_environment.ts";
import { settingLines } from "./shells.ts";

const PROXY = { host: "127.0.0.1", port: 8080, credentials: undefined };

Deno.test("programs find the proxy by variables of both spellings, and this machine without it", () => {
  const variables = proxyEnvironment(PROXY);
  assert.equal(variables["HTTPS_PROXY"], "http://127.0.0.1:8080");
  assert.equal(variables["https_proxy"], "http://127.0.0.1:8080");
  assert.equal(variables["ALL_PROXY"], "socks5h://127.0.0.1:8080");
  assert.equal(variables["NO_PROXY"], "localhost,127.0.0.1,::1");
  assert.equal(variables["GIT_SSH_COMMAND"], undefined);
});

Deno.test("a proxy that listens everywhere is reached here, and one of IPv6 in brackets", () => {
  assert.equal(proxyEnvironment({ ...PROXY, host: "0.0.0.0" })["HTTP_PROXY"], "http://127.0.0.1:8080");
  assert.equal(proxyEnvironment({ ...PROXY, host: "::" })["HTTP_PROXY"], "http://[::1]:8080");
});

Deno.test("user and password go along, encoded, and not with git", () => {
  const secret = { ...PROXY, credentials: { user: "a b", password: "p@ss:'" } };
  assert.equal(proxyEnvironment(secret)["HTTP_PROXY"], "http://a%20b:p%40ss%3A'@127.0.0.1:8080");
  assert.throws(
    () => proxyEnvironment(secret, { withGit: true }),
    withReason("bad_request", /GIT_SSH_COMMAND/),
  );
});

Deno.test("git over ssh goes through SOCKS5", () => {
  const { GIT_SSH_COMMAND } = proxyEnvironment(PROXY, { withGit: true });
  assert.equal(GIT_SSH_COMMAND, "ssh -o ProxyCommand='nc -X 5 -x 127.0.0.1:8080 %h %p'");
});

Deno.test("a port that is picked when the agent starts cannot be told", () => {
  assert.throws(
    () => proxyEnvironment({ ...PROXY, port: 0 }),
    withReason("bad_request", /local_proxy_port is 0/),
  );
});

Deno.test("lines are quoted as each shell wants it", () => {
  const variables = { A: "it's \\ $x", a: "1" };
  assert.equal(settingLines("bash", variables), `export A='it'\\''s \\ $x'\nexport a='1'\n`);
  assert.equal(settingLines("fish", variables), `set -gx A 'it\\'s \\\\ $x'\nset -gx a '1'\n`);
  assert.equal(settingLines("powershell", variables), "$env:A = 'it''s \\ $x'\n");
});
