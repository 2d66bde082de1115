import assert from "node:assert/strict";
import { configText } from "../../tests/support/programs/config_text.ts";
import { TestPki } from "../../tests/support/pki/pki.ts";
import { loadAgentConfig } from "./config.ts";

function load(yaml: string, environment: Record<string, string> = {}) {
  const readBytes = configText(yaml);
  return loadAgentConfig({ file: "/etc/sallyport/agent.yaml", environment, readBytes });
}

Deno.test("agent configuration has the documented defaults", async () => {
  assert.deepEqual(await load("server_ip: 192.0.2.7"), {
    file: "/etc/sallyport/agent.yaml",
    serverIp: "192.0.2.7",
    serverPort: 8443,
    serverName: "sallyport-server",
    sni: "sallyport-server",
    localProxyHost: "127.0.0.1",
    localProxyPort: 8080,
    localProxyAuth: undefined,
    eager: true,
    connections: 8,
    resumeTimeout: 60_000,
    consolePort: 8081,
    identity: {
      cert: { file: "/etc/sallyport/certs/client.crt", isDefault: true },
      key: { file: "/etc/sallyport/certs/client.key", isDefault: true },
      ca: { file: "/etc/sallyport/certs/ca.crt", isDefault: true },
      crl: undefined,
    },
    logLevel: "info",
    traceFrames: false,
    cloud: undefined,
    upstream: undefined,
    warnings: [],
    bypass: [],
    block: [],
  });
});

Deno.test("agent configuration reads every key from the environment", async () => {
  const pem = (name: string) => `-----BEGIN ${name}-----\n`;
  const config = await loadAgentConfig({
    environment: {
      SALLYPORT_SERVER_IP: "2001:db8::1",
      SALLYPORT_SERVER_PORT: "443",
      SALLYPORT_SERVER_NAME: "inner.example",
      SALLYPORT_SNI: "outer.example",
      SALLYPORT_LOCAL_PROXY_HOST: "::1",
      SALLYPORT_LOCAL_PROXY_PORT: "0",
      SALLYPORT_EAGER: "false",
      SALLYPORT_CONNECTIONS: "1",
      SALLYPORT_RESUME_TIMEOUT: "0",
      SALLYPORT_LOCAL_PROXY_AUTH: "alice:a:b ü",
      SALLYPORT_CONSOLE_PORT: "0",
      SALLYPORT_CERT_PEM: pem("CERT"),
      SALLYPORT_KEY_PEM: pem("KEY"),
      SALLYPORT_CA_CERT_PEM: pem("CA"),
      SALLYPORT_CRL_PEM: pem("CRL"),
      SALLYPORT_LOG_LEVEL: "debug",
      SALLYPORT_TRACE_FRAMES: "1",
      SALLYPORT_BYPASS: "10.0.0.0/8, *.corp.example:443",
      SALLYPORT_BLOCK: "[::1]:25",
    },
  });
  assert.deepEqual(config, {
    serverIp: "2001:db8::1",
    serverPort: 443,
    serverName: "inner.example",
    sni: "outer.example",
    localProxyHost: "::1",
    localProxyPort: 0,
    localProxyAuth: { user: "alice", password: "a:b ü" },
    eager: false,
    connections: 1,
    resumeTimeout: 0,
    consolePort: 0,
    identity: {
      cert: { pem: pem("CERT") },
      key: { pem: pem("KEY") },
      ca: { pem: pem("CA") },
      crl: { pem: pem("CRL") },
    },
    logLevel: "debug",
    traceFrames: true,
    cloud: undefined,
    upstream: undefined,
    warnings: [],
    bypass: ["10.0.0.0/8", "*.corp.example:443"],
    block: ["[::1]:25"],
  });
});

Deno.test("agent configuration uses server_name as SNI by default", async () => {
  assert.equal((await load("server_ip: 192.0.2.7\nserver_name: a.example")).sni, "a.example");
});

Deno.test("agent configuration never shows local_proxy_auth in an error", async () => {
  const bad = [
    ...["hunter2", "hunter2:", ":hunter2", `${"x".repeat(256)}:hunter2`, `hunter2:${"é".repeat(128)}`],
    ...["hunter2:a\nb", "hunter2\u0000:b"],
  ];
  const fails = async (loading: Promise<unknown>, where: string) => {
    await assert.rejects(loading, (error: Error) => {
      assert.ok(error.message.startsWith(`${where}: Cannot use `), error.message);
      assert.match(error.message, /expected "user:password", .* current value is hidden/);
      assert.doesNotMatch(error.message, /hunter2|xxx|é/);
      return true;
    });
  };
  for (const text of bad) {
    await fails(
      load(`server_ip: a\nlocal_proxy_auth: ${JSON.stringify(text)}`),
      "/etc/sallyport/agent.yaml:2:1",
    );
    await fails(
      load("server_ip: a", { SALLYPORT_LOCAL_PROXY_AUTH: text }),
      "SALLYPORT_LOCAL_PROXY_AUTH",
    );
  }
  await fails(load("server_ip: a\nlocal_proxy_auth: 8675309"), "/etc/sallyport/agent.yaml:2:1");
  await fails(load("server_ip: a\nlocal_proxy_auth: [a, hunter2]"), "/etc/sallyport/agent.yaml:2:1");
  const longest = `${"u".repeat(255)}:${"é".repeat(127)}p`;
  const { localProxyAuth } = await load("server_ip: a", { SALLYPORT_LOCAL_PROXY_AUTH: longest });
  assert.deepEqual(localProxyAuth, { user: "u".repeat(255), password: `${"é".repeat(127)}p` });
  assert.equal((await load("server_ip: a\nlocal_proxy_auth: ''")).localProxyAuth, undefined);
});

Deno.test("agent configuration without a server is an error that names file or variable, and the key", async () => {
  const inFile =
    /^\/etc\/sallyport\/agent\.yaml(:1:1)?: Cannot use server_ip: expected .*, current value is empty$/;
  await assert.rejects(load("server_port: 8443"), { code: "bad_request", message: inFile });
  await assert.rejects(load("server_ip: ''"), { code: "bad_request", message: inFile });
  const inEnvironment =
    /^no --config .* no agent\.yaml here.* run npx -y deno@[\d.]+ task -q agent --config agent\.yaml$/;
  await assert.rejects(loadAgentConfig({ environment: {} }), { code: "bad_request", message: inEnvironment });
});

Deno.test("agent configuration accepts endpoints instead of an address, and prefers an address", async () => {
  const wake = "wake_endpoint: https://a.example/";
  assert.deepEqual((await load(wake)).cloud, {
    endpoints: { wake: new URL("https://a.example/"), query: undefined, kill: undefined },
    killOnExit: true,
    wakeTimeout: 180_000,
  });
  const environment = {
    SALLYPORT_QUERY_ENDPOINT: "http://localhost:1/q",
    SALLYPORT_KILL_ENDPOINT: "http://[::1]:1/k",
    SALLYPORT_KILL_ON_EXIT: "false",
    SALLYPORT_WAKE_TIMEOUT: "5m",
  };
  assert.deepEqual((await load(wake, environment)).cloud, {
    endpoints: {
      wake: new URL("https://a.example/"),
      query: new URL("http://localhost:1/q"),
      kill: new URL("http://[::1]:1/k"),
    },
    killOnExit: false,
    wakeTimeout: 300_000,
  });
  assert.equal((await load(`${wake}\nserver_ip: 192.0.2.7`)).cloud, undefined);
});

Deno.test("agent configuration refuses an endpoint that is not safe, with its line", async () => {
  for (
    const url of [
      "http://a.example/",
      "a.example",
      "https://u:p@a.example/",
      "https://a.example/?q",
      "ftp://[::1]/",
    ]
  ) {
    const message = /agent\.yaml:1:1: Cannot use wake_endpoint: expected a URL such as/;
    await assert.rejects(load(`wake_endpoint: ${JSON.stringify(url)}`), { message }, url);
  }
});

Deno.test("agent configuration reads the proxy from the file, or from HTTPS_PROXY", async () => {
  const HTTPS_PROXY = "http://env.example:3128";
  const fromFile = await load("server_ip: a\nupstream_proxy: http://u:p@file.example:1", { HTTPS_PROXY });
  assert.equal(fromFile.upstream?.proxy.url.href, "http://file.example:1/");
  assert.equal((await load("server_ip: a", { HTTPS_PROXY })).upstream?.source, "HTTPS_PROXY");
  assert.equal((await load("server_ip: a\nupstream_proxy: direct", { HTTPS_PROXY })).upstream, undefined);
});

Deno.test("agent configuration ignores variables that name the agent itself, with one warning", async () => {
  const HTTPS_PROXY = "http://127.0.0.1:8080";
  const both = await load("server_ip: a", { HTTPS_PROXY, https_proxy: "http://localhost:8080" });
  assert.equal(both.upstream, undefined);
  assert.deepEqual(both.warnings.length, 1);
  assert.match(both.warnings[0]!, /^HTTPS_PROXY and https_proxy name this agent itself/);
  const other = await load("server_ip: a", { HTTPS_PROXY, https_proxy: "http://corp.example:3128" });
  assert.equal(other.upstream?.source, "https_proxy");
  assert.deepEqual((await load("server_ip: a\nupstream_proxy: direct", { HTTPS_PROXY })).warnings, []);
});

Deno.test("agent configuration refuses its own address as upstream_proxy", async () => {
  const HTTPS_PROXY = "http://127.0.0.1:8080";
  assert.ok((await load("server_ip: a\nlocal_proxy_port: 9999", { HTTPS_PROXY })).upstream);
  const inFile = /agent\.yaml:2:1: Cannot use upstream_proxy: it names this agent itself/;
  await assert.rejects(load("server_ip: a\nupstream_proxy: localhost:8080"), { message: inFile });
});

Deno.test("agent configuration reads the CA of an https proxy, and refuses an invalid one", async () => {
  const proxy = "server_ip: a\nupstream_proxy: https://proxy.example:3130";
  assert.equal((await load(proxy)).upstream?.proxy.ca, undefined);
  const { ca, serverKey } = await TestPki.create().then(async (pki) => ({
    ca: pki.ca,
    serverKey: await pki.serverKey(),
  }));
  assert.equal((await load(proxy, { SALLYPORT_UPSTREAM_CA_PEM: ca })).upstream?.proxy.ca, ca);
  await assert.rejects(load(proxy, { SALLYPORT_UPSTREAM_CA_PEM: serverKey.cert }), {
    code: "bad_request",
    message: /^Cannot use upstream_ca_file given as text: entry 1 is not a CA certificate; /,
  });
  await assert.rejects(load(`${proxy}\nupstream_ca_file: missing.crt`), {
    code: "bad_request",
    message: /^Cannot read upstream_ca_file \/etc\/sallyport\/missing\.crt: /,
  });
});

Deno.test("agent configuration never shows upstream_proxy in an error", async () => {
  const loading = load("server_ip: a\nupstream_proxy: ftp://u:hunter2@a");
  await assert.rejects(loading, (error: Error) => {
    assert.match(error.message, /agent\.yaml:2:1: Cannot use upstream_proxy: expected .* hidden/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

Deno.test("agent configuration names file, line and key of an invalid target", async () => {
  for (
    const [key, entry, hint] of [
      ["bypass", "http://a.example/", '; a target is a host, not a URL; write "a.example"'],
      ["bypass", "10.0.0.0/33", ""],
      ["block", "a.example:0", ""],
      ["block", "a b", "; write each target as a separate entry"],
      ["block", "'127.1'", "; write IPv4 as four decimal numbers"],
      ["block", "'0x7f000001'", "; write IPv4 as four decimal numbers"],
      ["block", "'*.x.*'", '; "*." may stand only at the start'],
    ]
  ) {
    await assert.rejects(load(`server_ip: 192.0.2.7\n${key}:\n  - fine.example\n  - ${entry}\n`), {
      message: `/etc/sallyport/agent.yaml:4:5: Cannot use ${key}[1]: expected a target such as ` +
        `"10.0.0.0/8", "127.0.0.1:9080" or "*.corp.example:443", current value is "${
          entry!.replaceAll("'", "")
        }"${hint}`,
    });
  }
});

Deno.test("agent configuration gives the least duration as a duration, with longer examples", async () => {
  await assert.rejects(load("server_ip: a\nwake_timeout: 5"), {
    message: "/etc/sallyport/agent.yaml:2:1: Cannot use wake_timeout: " +
      'expected a duration of at least "1s" such as "60s", "15m" or "1h", current value is 5; add a unit, as in "5s"',
  });
});

Deno.test("agent configuration says what to remove from server_ip, and the key of the port", async () => {
  for (
    const [written, hint] of [
      [
        "vpn.example:8443",
        'remove ":8443" to leave "vpn.example"; the port belongs in server_port',
      ],
      ["https://vpn.example", 'remove "https://" to leave "vpn.example"'],
      ["https://vpn.example:443/x", 'remove "https://", ":443" and "/x" to leave "vpn.example"'],
      ["[::1]", 'remove the brackets to leave "::1"'],
      [
        "[::1]:8443",
        'remove the brackets and ":8443" to leave "::1"; the port belongs in server_port',
      ],
      ["vpn.example/", 'remove "/" to leave "vpn.example"'],
      ["me@vpn.example", 'remove everything up to the "@" to leave "vpn.example"'],
      [" vpn.example", "remove the spaces"],
      ["b\u00fccher.example", "write it in ASCII: xn--bcher-kva.example"],
    ] as const
  ) {
    for (const yaml of [`server_ip: ${JSON.stringify(written)}`, ""]) {
      const environment: Record<string, string> = yaml === "" ? { SALLYPORT_SERVER_IP: written } : {};
      await assert.rejects(load(yaml, environment), (error: Error) => {
        assert.ok(error.message.includes(`; ${hint}`), `${written}: ${error.message}`);
        return true;
      });
    }
  }
  await assert.rejects(load("server_ip: me:hunter2@vpn.example"), (error: Error) => {
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

Deno.test("agent configuration names both keys of equal ports", async () => {
  const message =
    /agent\.yaml:2:1: Cannot use console_port: it is 8080, and so is local_proxy_port \(.*agent\.yaml\); set one of them/;
  await assert.rejects(load("server_ip: a\nconsole_port: 8080"), { code: "bad_request", message });
  const wide = "server_ip: a\nlocal_proxy_port: 8081\nlocal_proxy_host: ";
  for (const host of ["0.0.0.0", "localhost", "'::'"]) {
    await assert.rejects(load(wide + host), { message: /Cannot use console_port: it is 8081/ }, host);
  }
  assert.equal((await load(`${wide}192.0.2.9`)).consolePort, 8081);
  assert.equal((await load("server_ip: a\nlocal_proxy_port: 0\nconsole_port: 0")).consolePort, 0);
});

Deno.test("agent configuration recognises a server's configuration and an empty one", async () => {
  await assert.rejects(load("listen_port: 8443\ncert_file: a\ncolour: red"), {
    message:
      "/etc/sallyport/agent.yaml: Cannot use the file: this looks like a server's configuration (it has the key " +
      "listen_port), but this is the agent; give the agent's file to --config, or start the server with this one",
  });
  await assert.rejects(load("server_ip: a\nhealth_port: 1"), {
    message:
      "/etc/sallyport/agent.yaml:2:1: Cannot use health_port: it is a key of the server, but this is the agent; remove it",
  });
  await assert.rejects(load("server_ip: a", { SALLYPORT_TARGETS__ALLOW: "a" }), {
    message:
      "SALLYPORT_TARGETS__ALLOW: Cannot use variable: it sets a key of the server, but this is the agent; unset it",
  });
  await assert.rejects(load("# nothing yet"), {
    message: /agent\.yaml \(which has no keys\): Cannot use server_ip/,
  });
});
