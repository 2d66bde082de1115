import assert from "node:assert/strict";
import { withReason } from "../../tests/support/with_reason.ts";
import { warnIfNothingListens } from "./proxy_check.ts";
import { proxyEnvironment } from "./proxy_environment.ts";
import { settingLines, shellOf } from "./shells.ts";

const PROXY = { host: "127.0.0.1", port: 8080, credentials: undefined };

Deno.test("variables name the proxy in both spellings and exempt this machine", () => {
  const variables = proxyEnvironment(PROXY);
  assert.equal(variables["HTTPS_PROXY"], "http://127.0.0.1:8080");
  assert.equal(variables["https_proxy"], "http://127.0.0.1:8080");
  assert.equal(variables["ALL_PROXY"], "socks5h://127.0.0.1:8080");
  assert.equal(variables["NO_PROXY"], "localhost,127.0.0.1,::1");
  assert.equal(variables["GIT_SSH_COMMAND"], undefined);
});

Deno.test("variables name a dialable address for a wildcard address, and IPv6 in brackets", () => {
  assert.equal(proxyEnvironment({ ...PROXY, host: "0.0.0.0" })["HTTP_PROXY"], "http://127.0.0.1:8080");
  assert.equal(proxyEnvironment({ ...PROXY, host: "::" })["HTTP_PROXY"], "http://[::1]:8080");
});

Deno.test("variables contain user and password, encoded; git refuses them", () => {
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

Deno.test("an automatic port is an error", () => {
  assert.throws(
    () => proxyEnvironment({ ...PROXY, port: 0 }),
    withReason("bad_request", /local_proxy_port is 0/),
  );
});

Deno.test("lines are quoted for each shell", () => {
  const variables = { A: "it's \\ $x", a: "1" };
  assert.equal(settingLines("bash", variables), `export A='it'\\''s \\ $x'\nexport a='1'\n`);
  assert.equal(settingLines("fish", variables), `set -gx A 'it\\'s \\\\ $x'\nset -gx a '1'\n`);
  assert.equal(settingLines("powershell", variables), "$env:A = 'it''s \\ $x'\n");
  assert.equal(settingLines("cmd", { A: "1%2", a: "1%2", b: "3" }), 'set "A=1%%2"\nset "b=3"\n');
  for (const posix of ["zsh", "sh", "ksh", "dash", "/usr/bin/zsh"]) {
    assert.equal(settingLines(posix, variables), settingLines("bash", variables), posix);
  }
  assert.match(
    settingLines("/bin/tcsh\nrm", { A: "1" }),
    /^# unknown shell "\/bin\/tcsh\\nrm": these lines[^\n]*\nexport A='1'\n$/,
  );
});

Deno.test("a shell is recognised by its name and its path", () => {
  const paths = ["/usr/bin/zsh", "-bash", "C:\\x\\pwsh.exe", "cmd.exe", "/bin/tcsh"];
  assert.deepEqual(paths.map(shellOf), ["zsh", "bash", "powershell", "cmd", undefined]);
});

Deno.test("a proxy that does not listen gets one line, one that listens none", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  let err = "";
  const terminal = { err: (text: string) => void (err += text) };
  await warnIfNothingListens({ host: "0.0.0.0", port }, terminal);
  assert.equal(err, "");
  listener.close();
  await warnIfNothingListens({ host: "0.0.0.0", port }, terminal);
  assert.equal(err, `sallyport-agent: no agent listens at 127.0.0.1:${port}; start it first\n`);
});

Deno.test("variables keep npx from querying the registry", () => {
  assert.equal(proxyEnvironment(PROXY)["npm_config_prefer_offline"], "true");
});
