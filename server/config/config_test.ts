import assert from "node:assert/strict";
import { configText } from "../../tests/support/programs/config_text.ts";
import { loadServerConfig } from "./config.ts";

Deno.test("server configuration has the documented defaults", async () => {
  assert.deepEqual(await loadServerConfig({ environment: {} }), {
    listenAddr: "0.0.0.0",
    listenPorts: [8443],
    healthAddr: "127.0.0.1",
    healthPort: 8080,
    identity: {
      cert: { file: "/root/certs/server.crt", isDefault: true },
      key: { file: "/root/certs/server.key", isDefault: true },
      ca: { file: "/root/certs/ca.crt", isDefault: true },
      crl: undefined,
    },
    maxConnections: 100,
    maxStreams: 4096,
    targets: { allow: [], deny: [] },
    clients: { allow: [] },
    logLevel: "info",
    traceFrames: false,
    drainTimeout: 20_000,
    idleTimeout: 600_000,
    resumeTimeout: 60_000,
    auditOpenAfter: 60_000,
    metrics: undefined,
    crlParameter: undefined,
  });
});

Deno.test("server configuration takes every key from the environment", async () => {
  const environment = {
    SALLYPORT_LISTEN_ADDR: "::",
    SALLYPORT_LISTEN_PORT: "0",
    SALLYPORT_HEALTH_ADDR: "::1",
    SALLYPORT_HEALTH_PORT: "0",
    SALLYPORT_CERT_FILE: "s.crt",
    SALLYPORT_KEY_FILE: "s.key",
    SALLYPORT_CA_CERT_FILE: "ca.crt",
    SALLYPORT_CRL_FILE: "ca.crl",
    SALLYPORT_MAX_CONNECTIONS: "3",
    SALLYPORT_MAX_STREAMS: "16",
    SALLYPORT_TARGETS__ALLOW: "10.0.0.0/8,127.0.0.1:9080",
    SALLYPORT_TARGETS__DENY: "*.corp.example:443,[::1]:80",
    SALLYPORT_CLIENTS__ALLOW: "cn:laptop-*, dns:*.dev.example",
    SALLYPORT_LOG_LEVEL: "warn",
    SALLYPORT_TRACE_FRAMES: "true",
    SALLYPORT_DRAIN_TIMEOUT: "0s",
    SALLYPORT_IDLE_TIMEOUT: "1h",
    SALLYPORT_RESUME_TIMEOUT: "4m",
    SALLYPORT_AUDIT_OPEN_AFTER: "5s",
    SALLYPORT_EMIT_METRICS: "true",
    SALLYPORT_METRICS_INTERVAL: "30s",
    SALLYPORT_METRICS_NAMESPACE: "Sallyport/mine",
    SALLYPORT_METRICS_NAME: "mine",
    SALLYPORT_CRL_PARAMETER: "",
  };
  assert.deepEqual(await loadServerConfig({ environment, workingDirectory: "/srv" }), {
    listenAddr: "::",
    listenPorts: [0],
    healthAddr: "::1",
    healthPort: 0,
    identity: {
      cert: { file: "/srv/s.crt" },
      key: { file: "/srv/s.key" },
      ca: { file: "/srv/ca.crt" },
      crl: { file: "/srv/ca.crl" },
    },
    maxConnections: 3,
    maxStreams: 16,
    targets: { allow: ["10.0.0.0/8", "127.0.0.1:9080"], deny: ["*.corp.example:443", "[::1]:80"] },
    clients: { allow: [{ client: "cn:laptop-*" }, { client: "dns:*.dev.example" }] },
    logLevel: "warn",
    traceFrames: true,
    drainTimeout: 0,
    idleTimeout: 3_600_000,
    resumeTimeout: 240_000,
    auditOpenAfter: 5_000,
    metrics: { interval: 30_000, namespace: "Sallyport/mine", name: "mine" },
    crlParameter: undefined,
  });
});

Deno.test("server configuration refuses an entry that cannot be a target", async () => {
  for (const entry of ["http://a.example", "a b", "", "a:0", "10.0.0.0/33"]) {
    const readBytes = configText(`listen_port: 0\ntargets:\n  deny:\n    - ${JSON.stringify(entry)}\n`);
    const loading = loadServerConfig({ file: "s.yaml", environment: {}, readBytes });
    await assert.rejects(loading, {
      message: /\/s\.yaml:4:\d+: Cannot use targets\.deny\[0\]: expected a target such as/,
    });
  }
});

const CLIENTS = `
clients:
  allow:
    - "cn:Build Runner *"
    - client: "uri:spiffe://corp.example/ci/*"
      targets: { allow: ["10.1.0.0/16:443"], deny: [] }
    - client: "dns:*.dev.corp.example"
      targets:
        deny: ["10.0.0.0/8"]
    - client: "cn:a"
`;

Deno.test("server configuration takes clients as patterns and as mappings", async () => {
  const readBytes = configText(CLIENTS);
  const { clients } = await loadServerConfig({ file: "s.yaml", environment: {}, readBytes });
  assert.deepEqual(clients.allow, [
    { client: "cn:Build Runner *" },
    {
      client: "uri:spiffe://corp.example/ci/*",
      targets: { allow: ["10.1.0.0/16:443"], deny: [] },
    },
    { client: "dns:*.dev.corp.example", targets: { allow: [], deny: ["10.0.0.0/8"] } },
    { client: "cn:a" },
  ]);
});

Deno.test("server configuration takes clients with targets from the environment as JSON", async () => {
  const allow = [{ client: "cn:a,b", targets: { allow: ["10.0.0.0/8"], deny: [] } }, "cn:c"];
  const environment = { SALLYPORT_CLIENTS__ALLOW: ` ${JSON.stringify(allow)}` };
  const { clients } = await loadServerConfig({ environment });
  assert.deepEqual(clients.allow, [allow[0], { client: "cn:c" }]);
});

Deno.test("server configuration names the place of an error in clients", async () => {
  const cases: [string, RegExp][] = [
    [
      "clients:\n  allow:\n    - laptop",
      /\/s\.yaml:3:\d+: Cannot use clients\.allow\[0\]: expected a client pattern .*"laptop"$/,
    ],
    [
      "clients:\n  allow:\n    - 7",
      /\/s\.yaml:3:\d+: Cannot use clients\.allow\[0\]: expected a client pattern .*7$/,
    ],
    [
      "clients:\n  allow: cn:a",
      /\/s\.yaml:2:\d+: Cannot use clients\.allow: expected a list of client patterns.*"cn:a"; write it as a list: \["cn:a"\]$/,
    ],
    [
      "clients:\n  allow:\n    - client: cn:a\n      targets:\n        allow: a.example",
      /Cannot use clients\.allow\[0\]\.targets\.allow: .*"a\.example"; write it as a list: \["a\.example"\]$/,
    ],
    [
      "clients:\n  allow:\n    - client: cn:a\n      targets:\n        allow: ['127.1']",
      /expected a target such as .*"127\.1"; write IPv4 as four decimal numbers$/,
    ],
    [
      "clients:\n  allow:\n    - client: cn:a\n      targets:\n        allow:\n          - 10.0.0.0/8\n          - a b",
      /\/s\.yaml:7:\d+: Cannot use clients\.allow\[0\]\.targets\.allow\[1\]: expected a target such as .*"a b"; write each target as a separate entry$/,
    ],
    [
      "clients:\n  allow:\n    - client: cn:a\n      target: []",
      /\/s\.yaml:4:\d+: Cannot use clients\.allow\[0\]\.target: expected one of the keys client, targets, .*a list; did you mean targets\?$/,
    ],
    [
      "clients:\n  allow:\n    - targets: {}",
      /\/s\.yaml:3:\d+: Cannot use clients\.allow\[0\]\.client: expected a client pattern .*empty$/,
    ],
    [
      "clients:\n  allow:\n    - client: cn:a\n      targets: []",
      /\/s\.yaml:4:\d+: Cannot use clients\.allow\[0\]\.targets: expected the keys allow, deny, .*a list$/,
    ],
    [
      "clients:\n  deny: []",
      /\/s\.yaml:2:\d+: Cannot use clients\.deny: there is no such key; see docs\/configuration\.md#server for the keys$/,
    ],
  ];
  for (const [yaml, message] of cases) {
    const readBytes = configText(yaml);
    await assert.rejects(loadServerConfig({ file: "s.yaml", environment: {}, readBytes }), { message }, yaml);
  }
});

Deno.test("server configuration names the variable and the place of an error in clients", async () => {
  const cases: [string, RegExp][] = [
    ["cn:a,laptop", /^SALLYPORT_CLIENTS__ALLOW: Cannot use \[1\]: expected a client pattern .*"laptop"$/],
    [
      '[{"client":"cn:a","targets":{"deny":["a b"]}}]',
      /: Cannot use \[0\]\.targets\.deny\[0\]: .*"a b"; write each target as a separate entry$/,
    ],
    ['["cn:a"', /: Cannot use variable: expected a list of client patterns.*current value is/],
  ];
  for (const [text, message] of cases) {
    const loading = loadServerConfig({ environment: { SALLYPORT_CLIENTS__ALLOW: text } });
    await assert.rejects(loading, { message }, text);
  }
});

Deno.test("server configuration prefers a revocation list as text over a file", async () => {
  const pem = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
  const environment = { SALLYPORT_CRL_FILE: "ca.crl", SALLYPORT_CRL_PEM: pem };
  assert.deepEqual((await loadServerConfig({ environment })).identity.crl, { pem });
  const readBytes = configText('crl_file: ""\n');
  const none = await loadServerConfig({ file: "s.yaml", environment: {}, readBytes });
  assert.equal(none.identity.crl, undefined);
});

Deno.test("server configuration takes one revocation list, from a file or from a parameter", async () => {
  const environment = { SALLYPORT_CRL_PARAMETER: "/sallyport/crl" };
  assert.equal((await loadServerConfig({ environment })).crlParameter, "/sallyport/crl");
  const both = { ...environment, SALLYPORT_CRL_FILE: "crl.pem" };
  await assert.rejects(loadServerConfig({ environment: both }), { message: /crl_file is set too/ });
});

Deno.test("server configuration takes one port or several different ones", async () => {
  const load = (yaml: string) =>
    loadServerConfig({ file: "s.yaml", environment: {}, readBytes: configText(yaml) });
  assert.deepEqual((await load("listen_port: [443, 8443]")).listenPorts, [443, 8443]);
  const environment = { SALLYPORT_LISTEN_PORT: "443, 8443" };
  assert.deepEqual((await loadServerConfig({ environment })).listenPorts, [443, 8443]);
  for (const text of ["[]", "[443, 443]", "[443, x]", "65536", "[1,2,3,4,5,6,7,8,9]"]) {
    const message =
      /\/s\.yaml:1:\d+: Cannot use listen_port.*: expected a port number from 0 to 65535, such as 8443, or a list/;
    await assert.rejects(load(`listen_port: ${text}`), { message }, text);
  }
});

Deno.test("server configuration recognizes an agent's, and names both keys of two equal ports", async () => {
  const load = (yaml: string) =>
    loadServerConfig({ file: "s.yaml", environment: {}, readBytes: configText(yaml) });
  await assert.rejects(load("server_ip: 192.0.2.7\nlog_level: info"), {
    message:
      /\/s\.yaml: Cannot use the file: this looks like an agent's configuration \(it has the key server_ip\)/,
  });
  for (
    const yaml of ["health_port: 8443", "listen_port: [443, 8080]", "health_addr: '::'\nhealth_port: 8443"]
  ) {
    const message = /s\.yaml.*: Cannot use health_port: it is \d+, and so is listen_port \(/;
    await assert.rejects(load(yaml), { code: "bad_request", message }, yaml);
  }
  assert.equal((await load("listen_addr: 192.0.2.1\nlisten_port: 8080")).healthPort, 8080);
  await assert.rejects(load("health_addr: 127.0.0.1:9000"), {
    message: /Cannot use health_addr: expected .* such as "192\.0\.2\.7".*; the port belongs in health_port/,
  });
});
