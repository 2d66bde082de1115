/** Whatever stands in the file and the environment, it becomes a sound configuration or errors that say where. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { loadAgentConfig } from "../../agent/config.ts";
import { loadServerConfig } from "../../server/config.ts";
import { SallyportError } from "../../shared/errors.ts";
import { fuzz } from "../support/fuzz.ts";

const KEYS = [
  ...[
    "listen_addr",
    "health_addr",
    "listen_port",
    "health_port",
    "cert_file",
    "key_file",
    "ca_cert_file",
    "max_streams",
  ],
  ...["max_connections", "targets", "allow", "deny", "log_level", "drain_timeout", "idle_timeout"],
  ...[
    "server_ip",
    "server_port",
    "server_name",
    "sni",
    "local_proxy_host",
    "local_proxy_port",
    "console_port",
  ],
  ...[
    "local_proxy_auth",
    "crl_file",
    "clients",
    "wake_endpoint",
    "kill_on_exit",
    "wake_timeout",
    "upstream_proxy",
  ],
  ...["emit_metrics", "metrics_interval", "metrics_name", "crl_parameter"],
  ...["__proto__", "constructor", "toString"],
];
/** Members that are undefined where nothing is set. */
const OPTIONAL = new Set(["localProxyAuth", "metrics", "crlParameter", "cloud", "upstream"]);
const SCALARS = [
  ...[
    "1",
    "0",
    "-1",
    "65535",
    "65536",
    "1.5",
    "0x10",
    "1e3",
    "true",
    "null",
    "~",
    ".nan",
    ".inf",
    '""',
    "''",
  ],
  ...[
    "10s",
    "15m",
    "1h",
    "5d",
    "info",
    "loud",
    "127.0.0.1",
    "::1",
    "[::1]",
    "example.org",
    "example.org:443",
  ],
  ...["10.0.0.0/8", "10.0.0.0/99", "*.corp.example:443", "/etc/x.pem", "-----BEGIN X-----", "!!binary aGk="],
  ...["[]", "{}", "[a, b]", "{a: b}", "*none", "&a x", "? x", "- x", "|\n   text", '"\\u0000"', "2026-01-01"],
];

const key = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...KEYS) }, {
  weight: 1,
  arbitrary: fc.string({ maxLength: 5 }),
});
const scalar = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...SCALARS) }, {
  weight: 1,
  arbitrary: fc.string({ unit: "binary", maxLength: 8 }),
});
const line = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(key, scalar).map(([name, text]) => `${name}: ${text}`) },
  { weight: 2, arbitrary: fc.tuple(key, scalar).map(([name, text]) => `  ${name}: ${text}`) },
  { weight: 1, arbitrary: scalar.map((text) => `  - ${text}`) },
  { weight: 1, arbitrary: fc.constantFrom("targets:", "# x", "---", "...", "\t", "", "%YAML 1.1", "<<: *a") },
);
const yaml = fc.array(line, { maxLength: 6 }).map((lines) => lines.join("\n"));
const environment = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...KEYS).map((name) => `SALLYPORT_${name.toUpperCase()}`),
    fc.constantFrom(
      "SALLYPORT_TARGETS__ALLOW",
      "SALLYPORT_CERT_PEM",
      "SALLYPORT_",
      "SALLYPORT___PROTO__",
      "PATH",
    ),
  ),
  fc.oneof(fc.constantFrom(...SCALARS, "a,b", ",", " "), fc.string({ maxLength: 6 })),
  { maxKeys: 3 },
);

/** One problem: `file:line: Cannot …` or `VARIABLE: Cannot …`. */
const PROBLEM = /^(it\.yaml:[1-9]\d*|it\.yaml|SALLYPORT_\w*): Cannot .+/;

const PROGRAMS = {
  agent: (options: Parameters<typeof loadAgentConfig>[0]) => loadAgentConfig(options),
  server: (options: Parameters<typeof loadServerConfig>[0]) => loadServerConfig(options),
};

for (const [name, load] of Object.entries(PROGRAMS)) {
  fuzz(`configuration of the ${name} is sound, or says file and line of what is wrong`, [
    yaml,
    environment,
  ], async (text, variables) => {
    const lines = text.split("\n").length;
    try {
      const config = await load({
        file: "it.yaml",
        environment: variables,
        readFile: () => Promise.resolve(text),
        workingDirectory: "/home/me",
      });
      for (const [member, value] of Object.entries(config)) {
        assert.ok(value !== null && !Number.isNaN(value), `${member} is ${value}`);
        assert.ok(value !== undefined || OPTIONAL.has(member), `${member} is undefined`);
        if (/port/i.test(member)) {
          assert.ok(Number(value) >= 0 && Number(value) <= 65_535, `${member} ${value}`);
        }
      }
    } catch (error) {
      assert.ok(
        error instanceof SallyportError,
        `not one of ours: ${error instanceof Error ? error.stack : error}`,
      );
      assert.equal(error.code, "bad_request");
      const [first = ""] = error.message.split("\n");
      assert.match(first, PROBLEM);
      const [, at] = /^it\.yaml:(\d+)/.exec(first) ?? [];
      assert.ok(Number(at ?? 1) <= lines, `line ${at} of ${lines}`);
    }
    assert.equal(({} as Record<string, unknown>)["allow"], undefined, "no prototype was touched");
  }, { share: 0.05 });
}
