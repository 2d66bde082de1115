/** Whatever the file and the environment contain, the result is a valid configuration or errors that name the place. */
import assert from "node:assert/strict";
import { configText } from "../support/programs/config_text.ts";
import fc from "fast-check";
import { loadAgentConfig } from "../../agent/config/config.ts";
import { loadServerConfig } from "../../server/config/config.ts";
import { PROGRAM_KEYS } from "../../shared/config/program_keys.ts";
import { SallyportError } from "../../shared/errors.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";

const KEYS = [
  ...PROGRAM_KEYS.agent,
  ...PROGRAM_KEYS.server,
  ...["allow", "deny", "__proto__", "constructor", "toString"],
];
/** Members that are undefined by default. */
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

/** One problem: `/path/file:line:column: Cannot …` or `VARIABLE: Cannot …`. */
const PROBLEM =
  /^(\/home\/me\/it\.yaml(:[1-9]\d*:[1-9]\d*| \(which has no keys\))?|SALLYPORT_\w*): Cannot .+/;

const PROGRAMS = {
  agent: (options: Parameters<typeof loadAgentConfig>[0]) => loadAgentConfig(options),
  server: (options: Parameters<typeof loadServerConfig>[0]) => loadServerConfig(options),
};

for (const [name, load] of Object.entries(PROGRAMS)) {
  fuzz(`configuration of the ${name} is valid, or the error names file and line`, [
    yaml,
    environment,
  ], async (text, variables) => {
    const lines = text.split("\n").length;
    try {
      const config = await load({
        file: "it.yaml",
        environment: variables,
        readBytes: configText(text),
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
        `not a SallyportError: ${error instanceof Error ? error.stack : error}`,
      );
      assert.equal(error.code, "bad_request");
      const [first = ""] = error.message.split("\n");
      assert.match(first, PROBLEM);
      const [, at] = /it\.yaml:(\d+)/.exec(first) ?? [];
      assert.ok(Number(at ?? 1) <= lines, `line ${at} of ${lines}`);
    }
    assert.equal(({} as Record<string, unknown>)["allow"], undefined, "no prototype was changed");
  }, { share: 0.05 });
}
