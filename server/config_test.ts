import assert from "node:assert/strict";
import { loadServerConfig } from "./config.ts";

Deno.test("server configuration has the documented defaults", async () => {
  assert.deepEqual(await loadServerConfig({ environment: {} }), {
    listenAddr: "0.0.0.0",
    listenPort: 8443,
    healthPort: 8080,
    identity: {
      cert: { file: "/root/certs/server.crt" },
      key: { file: "/root/certs/server.key" },
      ca: { file: "/root/certs/ca.crt" },
    },
    maxConnections: 100,
    maxStreams: 4096,
    targets: { allow: [], deny: [] },
    logLevel: "info",
    drainTimeout: 20_000,
    idleTimeout: 600_000,
  });
});

Deno.test("server configuration takes every key from the environment", async () => {
  const environment = {
    SALLYPORT_LISTEN_ADDR: "::",
    SALLYPORT_LISTEN_PORT: "0",
    SALLYPORT_HEALTH_PORT: "0",
    SALLYPORT_CERT_FILE: "s.crt",
    SALLYPORT_KEY_FILE: "s.key",
    SALLYPORT_CA_CERT_FILE: "ca.crt",
    SALLYPORT_MAX_CONNECTIONS: "3",
    SALLYPORT_MAX_STREAMS: "16",
    SALLYPORT_TARGETS__ALLOW: "10.0.0.0/8,127.0.0.1:9080",
    SALLYPORT_TARGETS__DENY: "*.corp.example:443,[::1]:80",
    SALLYPORT_LOG_LEVEL: "warn",
    SALLYPORT_DRAIN_TIMEOUT: "0s",
    SALLYPORT_IDLE_TIMEOUT: "1h",
  };
  assert.deepEqual(await loadServerConfig({ environment, workingDirectory: "/srv" }), {
    listenAddr: "::",
    listenPort: 0,
    healthPort: 0,
    identity: { cert: { file: "/srv/s.crt" }, key: { file: "/srv/s.key" }, ca: { file: "/srv/ca.crt" } },
    maxConnections: 3,
    maxStreams: 16,
    targets: { allow: ["10.0.0.0/8", "127.0.0.1:9080"], deny: ["*.corp.example:443", "[::1]:80"] },
    logLevel: "warn",
    drainTimeout: 0,
    idleTimeout: 3_600_000,
  });
});

Deno.test("server configuration refuses an entry that can be no target", async () => {
  for (const entry of ["http://a.example", "a b", "", "a:0", "10.0.0.0/33"]) {
    const readFile = () =>
      Promise.resolve(`listen_port: 0\ntargets:\n  deny:\n    - ${JSON.stringify(entry)}\n`);
    const loading = loadServerConfig({ file: "s.yaml", environment: {}, readFile });
    await assert.rejects(loading, {
      message: /^s\.yaml:4: Cannot use targets\.deny\[0\]: expected a list of targets/,
    });
  }
});
