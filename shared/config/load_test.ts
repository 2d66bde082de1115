import assert from "node:assert/strict";
import { configText } from "../../tests/support/programs/config_text.ts";
import { SallyportError } from "../errors.ts";
import { duration, host, integer, list, pem } from "./fields.ts";
import { loadConfig } from "./load.ts";

const SHAPE = {
  port: integer(80, 0, 65_535, "a port number"),
  name: host("there.example"),
  wait: duration("20s"),
  cert_file: pem("./cert.pem", "CERT_PEM"),
  targets: { allow: list("names", () => true), deny: list("names", () => true) },
};

function load(yaml: string | undefined, environment: Record<string, string> = {}) {
  return loadConfig(SHAPE, {
    file: yaml === undefined ? undefined : "conf/it.yaml",
    environment,
    readBytes: configText(yaml ?? ""),
    workingDirectory: "/home/me",
  });
}

async function problemsOf(
  yaml: string | undefined,
  environment: Record<string, string> = {},
): Promise<string[]> {
  const error = await load(yaml, environment).then(() => assert.fail("nothing was wrong"), (error) => error);
  assert(error instanceof SallyportError, `not one of ours: ${error}`);
  assert.equal(error.code, "bad_request");
  return error.message.split("\n");
}

Deno.test("loadConfig uses defaults for missing keys", async () => {
  const defaults = {
    port: 80,
    name: "there.example",
    wait: 20_000,
    cert_file: { file: "/home/me/cert.pem", isDefault: true },
    targets: { allow: [], deny: [] },
  };
  assert.deepEqual(await load(undefined), defaults);
  for (const empty of ["", "\n# nothing yet\n", "targets:\n  allow: []\n"]) {
    assert.deepEqual(await load(empty), {
      ...defaults,
      cert_file: { file: "/home/me/conf/cert.pem", isDefault: true },
    });
  }
});

Deno.test("loadConfig prefers the environment to the file", async () => {
  const yaml = "port: 1\nname: file.example\ntargets:\n  allow: [a, b]\n  deny: [c]\n";
  const config = await load(yaml, {
    SALLYPORT_PORT: "2",
    SALLYPORT_WAIT: "15m",
    SALLYPORT_TARGETS__ALLOW: "x, y,z",
    PORT: "3",
  });
  assert.equal(config.port, 2);
  assert.equal(config.name, "file.example");
  assert.equal(config.wait, 900_000);
  assert.deepEqual(config.targets, { allow: ["x", "y", "z"], deny: ["c"] });
});

Deno.test("loadConfig resolves paths from the file's folder, from the environment against the working directory", async () => {
  const yaml = "cert_file: ../a.pem\n";
  assert.deepEqual((await load(yaml)).cert_file, { file: "/home/me/a.pem" });
  const variable = { SALLYPORT_CERT_FILE: "b.pem" };
  assert.deepEqual((await load(yaml, variable)).cert_file, { file: "/home/me/b.pem" });
  assert.deepEqual((await load("cert_file: /etc/c.pem")).cert_file, { file: "/etc/c.pem" });
});

Deno.test("loadConfig prefers PEM text to paths", async () => {
  const text = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
  const both = { SALLYPORT_CERT_FILE: "b.pem", SALLYPORT_CERT_PEM: text };
  assert.deepEqual((await load("cert_file: a.pem", both)).cert_file, { pem: text });
  const oneLine = { SALLYPORT_CERT_PEM: text.replaceAll("\n", "\\n") };
  assert.deepEqual((await load(undefined, oneLine)).cert_file, { pem: text });
});

Deno.test("loadConfig reports every problem with file, line, key and what was expected", async () => {
  const yaml = [
    "port: '80'", // 1
    "colour: red",
    "targets:",
    "  allow:",
    "    - fine",
    "    - not fine", // 6
    "    - 7",
    "  maybe: [x]", // 8
    "wait: 60",
    "name:", // 10
  ].join("\n");
  assert.deepEqual(await problemsOf(yaml), [
    '/home/me/conf/it.yaml:1:1: Cannot use port: expected a port number from 0 to 65535, such as 80, current value is "80"; write it without quotes',
    `/home/me/conf/it.yaml:2:1: Cannot use colour: there is no such key; see docs/configuration.md for the keys`,
    '/home/me/conf/it.yaml:6:7: Cannot use targets.allow[1]: expected a list of names, current value is "not fine"',
    "/home/me/conf/it.yaml:7:7: Cannot use targets.allow[2]: expected a list of names, current value is 7",
    `/home/me/conf/it.yaml:8:3: Cannot use targets.maybe: there is no such key; see docs/configuration.md for the keys`,
    '/home/me/conf/it.yaml:9:1: Cannot use wait: expected a duration such as "500ms", "60s", "15m" or "1h", current value is 60; add a unit, as in "60s"',
    '/home/me/conf/it.yaml:10:1: Cannot use name: expected an IP address or a host name, without a port, such as "192.0.2.7" or "host.example", current value is empty',
  ]);
});

Deno.test("loadConfig reports invalid and unknown variables besides the problems of the file", async () => {
  const environment = {
    SALLYPORT_PORT: "http",
    SALLYPORT_PROT: "80",
    SALLYPORT_TARGETS: "a",
    SALLYPORTS: "1",
  };
  assert.deepEqual(await problemsOf("targets: all", environment), [
    '/home/me/conf/it.yaml:1:1: Cannot use targets: expected the keys allow, deny below it, such as "targets: { allow: [] }", current value is "all"',
    "SALLYPORT_PROT: Cannot use variable: no key has this name; did you mean SALLYPORT_PORT?",
    "SALLYPORT_TARGETS: Cannot use variable: no key has this name; did you mean SALLYPORT_TARGETS__ALLOW or SALLYPORT_TARGETS__DENY?",
    'SALLYPORT_PORT: Cannot use variable: expected a port number from 0 to 65535, such as 80, current value is "http"',
  ]);
});

Deno.test("loadConfig never quotes possible private keys", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\\nc2VjcmV0\\n-----END PRIVATE KEY-----";
  const problems = [
    ...await problemsOf(`cert_file: "${key}"`),
    ...await problemsOf(undefined, { SALLYPORT_CERT_FILE: key }),
    ...await problemsOf(undefined, { SALLYPORT_CERT_PEM: "c2VjcmV0" }),
  ];
  assert.equal(problems.length, 3);
  for (const problem of problems) assert.doesNotMatch(problem, /c2VjcmV0|PRIVATE/);
});

Deno.test("loadConfig names file and line of text that is not YAML", async () => {
  assert.deepEqual(await problemsOf("port: 1\nname: x\nport: 2\n"), [
    "/home/me/conf/it.yaml:3:1: Cannot use port: expected each key once, the first is on line 1; remove one of them",
  ]);
  for (
    const [line, yaml] of [[2, "targets:\n\tallow: []"], [2, "port: [1\nname: x"], [
      1,
      "port: !wrong 1",
    ]] as const
  ) {
    const problems = await problemsOf(yaml);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, new RegExp(`^/home/me/conf/it\\.yaml:${line}:\\d+: Cannot parse YAML: `));
  }
});

Deno.test("loadConfig refuses a file without keys, or with keys that every object has", async () => {
  assert.match(
    (await problemsOf("- port: 1"))[0]!,
    /it\.yaml:1:1: Cannot use the file: expected lines of "key: value"/,
  );
  assert.match(
    (await problemsOf("just text"))[0]!,
    /it\.yaml:1:1: Cannot use the file: expected lines of "key: value"/,
  );
  for (const key of ["__proto__", "constructor", "toString"]) {
    assert.match(
      (await problemsOf(`\n${key}: {}`))[0]!,
      new RegExp(`^/home/me/conf/it\\.yaml:2:1: Cannot use ${key}: there is no such key`),
    );
  }
});

Deno.test("loadConfig refuses exponential aliases", async () => {
  const rows = [
    "a: &r0 [x]",
    ...Array.from({ length: 9 }, (_, n) => `k${n}: &r${n + 1} [${`*r${n},`.repeat(10)}]`),
  ];
  assert.match((await problemsOf(rows.join("\n")))[0]!, /it\.yaml:1:1: Cannot parse YAML: .*alias/);
});

Deno.test("loadConfig names a file that cannot be read", async () => {
  const missing = loadConfig(SHAPE, { file: "/no/such/file.yaml", environment: {} });
  await assert.rejects(missing, {
    code: "bad_request",
    message:
      /^\/no\/such\/file\.yaml: Cannot read the configuration file: no such file or directory; check the path after --config$/,
  });
});

/** A file, and its first problem without the path. */
const FAULTS: readonly [yaml: string | Uint8Array, problem: RegExp][] = [
  ["prot: 1", /^:1:1: Cannot use prot: there is no such key; did you mean port\?$/],
  ["certFile: a", /^:1:1: .*; did you mean cert_file\?$/],
  ["targets:\n  alow: []", /^:2:3: .*; did you mean targets\.allow\?$/],
  ["cert: a", /^:1:1: .*; did you mean cert_file\?$/],
  ["targets:\n\tallow: []", /^:2:1: Cannot parse YAML: a tab is used for indentation/],
  ["targets:\n    allow: []\n  deny: []", /^:3:1: Cannot parse YAML: the indentation does not match/],
  ["name: a: b", /^:1:7: Cannot parse YAML: there is a second colon/],
  ['name: "a', /^:1:9: Cannot parse YAML: something is not closed/],
  ["name: @a", /^:1:7: Cannot parse YAML: a value cannot begin with this character/],
  ["port:80", /^:1:1: Cannot use the file: .* a text; put a colon and a space between key and value$/],
  ["- port: 1", /^:1:1: Cannot use the file: .* a list; remove the "-"/],
  ["port: 1\n---\nport: 2", /^:2:1: Cannot parse YAML: the file has several documents/],
  ["wait: 1d", /^:1:1: .*; write days as hours: "24h"$/],
  ['wait: "60 sec"', /^:1:1: .*; write "60s"$/],
  ["wait: 9999h", /^:1:1: .*; the longest is 596h$/],
  ["port: host:80", /^:1:1: .*; write only the number: 80$/],
  ["targets:\n  allow: a, b", /^:2:3: .*; write it as a list: \["a", "b"\]$/],
  ["targets:\n  allow: 80", /^:2:3: .*; write it as a list: \["80"\]$/],
  ["cert_file: '-----BEGIN X'", /^:1:1: .*; PEM text itself belongs in the variable SALLYPORT_CERT_PEM$/],
  [
    "-----BEGIN CERTIFICATE-----",
    /^: Cannot read the configuration file: it is a certificate or key \(PEM\)/,
  ],
  [Uint8Array.of(0xff, 0xfe, 0x61, 0), /^: Cannot read .*: it is UTF-16; save it as UTF-8$/],
  [Uint8Array.of(0x61, 0x0a, 0x62, 0), /^:2:2: Cannot read .*: it is a binary file/],
  [Uint8Array.of(0x61, 0x0a, 0x23, 0xe4, 0x20), /^:2:2: Cannot read .*: it has bytes that are not UTF-8/],
  [new Uint8Array(1_048_577).fill(0x0a), /^: Cannot read .*: it has more than 1048576 bytes$/],
];

for (const [written, problem] of FAULTS) {
  const name = typeof written === "string" ? JSON.stringify(written) : `${written.length} bytes`;
  Deno.test(`loadConfig reports ${name} as ${problem.source.slice(0, 60)}`, async () => {
    const bytes = typeof written === "string" ? new TextEncoder().encode(written) : written;
    const loading = loadConfig(SHAPE, {
      file: "it.yaml",
      environment: {},
      readBytes: () => Promise.resolve(bytes),
      workingDirectory: "/home/me",
    });
    await assert.rejects(loading, (error: Error) => {
      assert.ok(error.message.startsWith("/home/me/it.yaml"), error.message);
      assert.match(error.message.slice("/home/me/it.yaml".length).split("\n")[0]!, problem);
      return true;
    });
  });
}

Deno.test("loadConfig reports a folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assert.rejects(loadConfig(SHAPE, { file: folder, environment: {} }), {
      message:
        `${folder}: Cannot read the configuration file: it is a directory; give the path of a YAML file in it`,
    });
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("loadConfig reports a file without read permission", async () => {
  const readBytes = () => Promise.reject(new Deno.errors.PermissionDenied("open '/a'"));
  await assert.rejects(loadConfig(SHAPE, { file: "/a", environment: {}, readBytes }), {
    message:
      "/a: Cannot read the configuration file: permission denied; let the user that runs this program read it",
  });
});
