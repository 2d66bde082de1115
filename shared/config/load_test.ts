import assert from "node:assert/strict";
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
    readFile: () => Promise.resolve(yaml ?? ""),
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

Deno.test("loadConfig uses defaults for what neither file nor environment says", async () => {
  const defaults = {
    port: 80,
    name: "there.example",
    wait: 20_000,
    cert_file: { file: "/home/me/cert.pem" },
    targets: { allow: [], deny: [] },
  };
  assert.deepEqual(await load(undefined), defaults);
  for (const empty of ["", "\n# nothing yet\n", "targets:\n  allow: []\n"]) {
    assert.deepEqual(await load(empty), { ...defaults, cert_file: { file: "/home/me/conf/cert.pem" } });
  }
});

Deno.test("loadConfig lets the environment win over the file", async () => {
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

Deno.test("loadConfig lets PEM text win over every path", async () => {
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
    'conf/it.yaml:1: Cannot use port: expected a port number from 0 to 65535, current value is "80"',
    "conf/it.yaml:2: Cannot use colour: expected one of the keys port, name, wait, cert_file, targets",
    'conf/it.yaml:6: Cannot use targets.allow[1]: expected a list of names, current value is "not fine"',
    "conf/it.yaml:7: Cannot use targets.allow[2]: expected a list of names, current value is 7",
    "conf/it.yaml:8: Cannot use targets.maybe: expected one of the keys allow, deny",
    'conf/it.yaml:9: Cannot use wait: expected a duration such as "500ms", "60s", "15m" or "1h", current value is 60',
    "conf/it.yaml:10: Cannot use name: expected an IP address or a host name, without a port, current value is empty",
  ]);
});

Deno.test("loadConfig reports wrong and unknown variables by name, beside what is wrong in the file", async () => {
  const environment = {
    SALLYPORT_PORT: "http",
    SALLYPORT_PROT: "80",
    SALLYPORT_TARGETS: "a",
    SALLYPORTS: "1",
  };
  assert.deepEqual(await problemsOf("targets: all", environment), [
    'conf/it.yaml:1: Cannot use targets: expected the keys allow, deny, current value is "all"',
    "SALLYPORT_PROT: Cannot use variable: no key has this name",
    "SALLYPORT_TARGETS: Cannot use variable: no key has this name",
    'SALLYPORT_PORT: Cannot use variable: expected a port number from 0 to 65535, current value is "http"',
  ]);
});

Deno.test("loadConfig never quotes what may be a key", async () => {
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
    "conf/it.yaml:3: Cannot use port: expected each key once",
  ]);
  for (
    const [line, yaml] of [[2, "targets:\n\tallow: []"], [2, "port: [1\nname: x"], [
      1,
      "port: !wrong 1",
    ]] as const
  ) {
    const problems = await problemsOf(yaml);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, new RegExp(`^conf/it\\.yaml:${line}: Cannot parse YAML: `));
  }
});

Deno.test("loadConfig refuses a file that holds no keys, or keys that objects have by nature", async () => {
  assert.match(
    (await problemsOf("- port: 1"))[0]!,
    /^conf\/it\.yaml:1: .*expected keys with values at the top$/,
  );
  assert.match(
    (await problemsOf("just text"))[0]!,
    /^conf\/it\.yaml:1: .*expected keys with values at the top$/,
  );
  for (const key of ["__proto__", "constructor", "toString"]) {
    assert.match(
      (await problemsOf(`\n${key}: {}`))[0]!,
      new RegExp(`^conf/it\\.yaml:2: Cannot use ${key}: expected`),
    );
  }
});

Deno.test("loadConfig refuses aliases that multiply", async () => {
  const rows = [
    "a: &r0 [x]",
    ...Array.from({ length: 9 }, (_, n) => `k${n}: &r${n + 1} [${`*r${n},`.repeat(10)}]`),
  ];
  assert.match((await problemsOf(rows.join("\n")))[0]!, /^conf\/it\.yaml:1: Cannot parse YAML: .*alias/);
});

Deno.test("loadConfig names a file that cannot be read", async () => {
  const missing = loadConfig(SHAPE, { file: "/no/such/file.yaml", environment: {} });
  await assert.rejects(missing, {
    code: "bad_request",
    message: /^\/no\/such\/file\.yaml: Cannot read configuration file: No such file[^:\n]*$/,
  });
});
