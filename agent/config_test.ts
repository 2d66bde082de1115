import assert from "node:assert/strict";
import { TestPki } from "../tests/support/pki.ts";
import { loadAgentConfig } from "./config.ts";

function load(yaml: string, environment: Record<string, string> = {}) {
  const readFile = () => Promise.resolve(yaml);
  return loadAgentConfig({ file: "/etc/sallyport/agent.yaml", environment, readFile });
}

Deno.test("agent configuration has the documented defaults", async () => {
  assert.deepEqual(await load("server_ip: 192.0.2.7"), {
    serverIp: "192.0.2.7",
    serverPort: 8443,
    serverName: "sallyport-server",
    sni: "sallyport-server",
    localProxyHost: "127.0.0.1",
    localProxyPort: 8080,
    localProxyAuth: undefined,
    consolePort: 8081,
    identity: {
      cert: { file: "/etc/sallyport/certs/client.crt" },
      key: { file: "/etc/sallyport/certs/client.key" },
      ca: { file: "/etc/sallyport/certs/ca.crt" },
      crl: undefined,
    },
    logLevel: "info",
    cloud: undefined,
    upstream: undefined,
    bypass: [],
    block: [],
  });
});

Deno.test("agent configuration takes every key from the environment", async () => {
  const pem = (name: string) => `-----BEGIN ${name}-----\n`;
  const config = await loadAgentConfig({
    environment: {
      SALLYPORT_SERVER_IP: "2001:db8::1",
      SALLYPORT_SERVER_PORT: "443",
      SALLYPORT_SERVER_NAME: "inner.example",
      SALLYPORT_SNI: "outer.example",
      SALLYPORT_LOCAL_PROXY_HOST: "::1",
      SALLYPORT_LOCAL_PROXY_PORT: "0",
      SALLYPORT_LOCAL_PROXY_AUTH: "alice:a:b ü",
      SALLYPORT_CONSOLE_PORT: "0",
      SALLYPORT_CERT_PEM: pem("CERT"),
      SALLYPORT_KEY_PEM: pem("KEY"),
      SALLYPORT_CA_CERT_PEM: pem("CA"),
      SALLYPORT_CRL_PEM: pem("CRL"),
      SALLYPORT_LOG_LEVEL: "debug",
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
    consolePort: 0,
    identity: {
      cert: { pem: pem("CERT") },
      key: { pem: pem("KEY") },
      ca: { pem: pem("CA") },
      crl: { pem: pem("CRL") },
    },
    logLevel: "debug",
    cloud: undefined,
    upstream: undefined,
    bypass: ["10.0.0.0/8", "*.corp.example:443"],
    block: ["[::1]:25"],
  });
});

Deno.test("agent configuration sends server_name as SNI unless told otherwise", async () => {
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
      assert.match(error.message, /expected "user:password", .* current value is not shown/);
      assert.doesNotMatch(error.message, /hunter2|xxx|é/);
      return true;
    });
  };
  for (const text of bad) {
    await fails(
      load(`server_ip: a\nlocal_proxy_auth: ${JSON.stringify(text)}`),
      "/etc/sallyport/agent.yaml:2",
    );
    await fails(
      load("server_ip: a", { SALLYPORT_LOCAL_PROXY_AUTH: text }),
      "SALLYPORT_LOCAL_PROXY_AUTH",
    );
  }
  await fails(load("server_ip: a\nlocal_proxy_auth: 8675309"), "/etc/sallyport/agent.yaml:2");
  await fails(load("server_ip: a\nlocal_proxy_auth: [a, hunter2]"), "/etc/sallyport/agent.yaml:2");
  const longest = `${"u".repeat(255)}:${"é".repeat(127)}p`;
  const { localProxyAuth } = await load("server_ip: a", { SALLYPORT_LOCAL_PROXY_AUTH: longest });
  assert.deepEqual(localProxyAuth, { user: "u".repeat(255), password: `${"é".repeat(127)}p` });
  assert.equal((await load("server_ip: a\nlocal_proxy_auth: ''")).localProxyAuth, undefined);
});

Deno.test("agent configuration without a server is an error that names file or variable, and the key", async () => {
  const message = (where: string) =>
    new RegExp(`^${where}: Cannot use server_ip: expected .*, current value is empty$`);
  const inFile = message("/etc/sallyport/agent\\.yaml");
  await assert.rejects(load("server_port: 8443"), { code: "bad_request", message: inFile });
  await assert.rejects(load("server_ip: ''"), { code: "bad_request", message: inFile });
  const inEnvironment = message("no --config was given, and SALLYPORT_SERVER_IP is not set");
  await assert.rejects(loadAgentConfig({ environment: {} }), { code: "bad_request", message: inEnvironment });
});

Deno.test("agent configuration takes endpoints in place of an address, and an address before them", async () => {
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
    const message = /agent\.yaml:1: Cannot use wake_endpoint: expected an address such as/;
    await assert.rejects(load(`wake_endpoint: ${JSON.stringify(url)}`), { message }, url);
  }
});

Deno.test("agent configuration takes the proxy from the file, or from HTTPS_PROXY", async () => {
  const HTTPS_PROXY = "http://env.example:3128";
  const fromFile = await load("server_ip: a\nupstream_proxy: http://u:p@file.example:1", { HTTPS_PROXY });
  assert.equal(fromFile.upstream?.proxy.url.href, "http://file.example:1/");
  assert.equal((await load("server_ip: a", { HTTPS_PROXY })).upstream?.source, "HTTPS_PROXY");
  assert.equal((await load("server_ip: a\nupstream_proxy: direct", { HTTPS_PROXY })).upstream, undefined);
});

Deno.test("agent configuration refuses its own address as a proxy, and says how to go on", async () => {
  const HTTPS_PROXY = "http://127.0.0.1:8080";
  const message =
    /^environment: Cannot use HTTPS_PROXY: it names this agent itself; unset it .* or set upstream_proxy to "direct"$/;
  await assert.rejects(load("server_ip: a", { HTTPS_PROXY }), { message });
  assert.ok((await load("server_ip: a\nlocal_proxy_port: 9999", { HTTPS_PROXY })).upstream);
  const inFile = /agent\.yaml: Cannot use upstream_proxy: it names this agent itself/;
  await assert.rejects(load("server_ip: a\nupstream_proxy: localhost:8080"), { message: inFile });
});

Deno.test("agent configuration takes the CA of an https proxy, and refuses what is none", async () => {
  const proxy = "server_ip: a\nupstream_proxy: https://proxy.example:3130";
  assert.equal((await load(proxy)).upstream?.proxy.ca, undefined);
  const { ca, serverKey } = await TestPki.create().then(async (pki) => ({
    ca: pki.ca,
    serverKey: await pki.serverKey(),
  }));
  assert.equal((await load(proxy, { SALLYPORT_UPSTREAM_CA_PEM: ca })).upstream?.proxy.ca, ca);
  await assert.rejects(load(proxy, { SALLYPORT_UPSTREAM_CA_PEM: serverKey.cert }), {
    code: "bad_request",
    message: /^Cannot use upstream_ca_file given as text: entry 1 is not the certificate of a CA$/,
  });
  await assert.rejects(load(`${proxy}\nupstream_ca_file: missing.crt`), {
    code: "bad_request",
    message: /^Cannot read upstream_ca_file \/etc\/sallyport\/missing\.crt: /,
  });
});

Deno.test("agent configuration never shows upstream_proxy in an error", async () => {
  const loading = load("server_ip: a\nupstream_proxy: ftp://u:hunter2@a");
  await assert.rejects(loading, (error: Error) => {
    assert.match(error.message, /agent\.yaml:2: Cannot use upstream_proxy: expected .* not shown/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

Deno.test("agent configuration names file, line and key of an entry that is no target", async () => {
  for (
    const [key, entry] of [
      ["bypass", "http://a.example/"],
      ["bypass", "10.0.0.0/33"],
      ["block", "a.example:0"],
      ["block", "a b"],
    ]
  ) {
    await assert.rejects(load(`server_ip: 192.0.2.7\n${key}:\n  - fine.example\n  - ${entry}\n`), {
      message: `/etc/sallyport/agent.yaml:4: Cannot use ${key}[1]: expected a list of targets such as ` +
        `"10.0.0.0/8", "127.0.0.1:9080" or "*.corp.example:443", current value is "${entry}"`,
    });
  }
});
