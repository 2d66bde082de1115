import assert from "node:assert/strict";
import type { Report } from "../certs/report/report.ts";
import type { CertificateCommands } from "./certs_cli.ts";
import { agentCli } from "./cli.ts";

type Call = [command: string, options: unknown];

async function call(args: string[], commands: Partial<CertificateCommands> = {}) {
  let out = "", err = "";
  const made: Call[] = [];
  const note = (command: string) => (options: unknown) => {
    made.push([command, options]);
    return Promise.resolve({ files: ["a/x.crt", "a/x.key"], notes: ["a note"] });
  };
  const show = (options: unknown): Promise<Report[]> => {
    made.push(["show", options]);
    return Promise.resolve([]);
  };
  const notes = Object.fromEntries(
    ["init", "issue", "renew", "revoke", "crl"].map((name) => [name, note(name)]),
  );
  const all = { ...notes, show, ...commands } as CertificateCommands;
  const code = await agentCli(["certs", ...args], {
    run: () => assert.fail("unexpected run"),
    status: () => assert.fail("unexpected status"),
    env: () => assert.fail("unexpected env"),
    exec: () => assert.fail("unexpected exec"),
    doctor: () => assert.fail("unexpected doctor"),
    certificates: () => Promise.resolve(all),
  }, { out: (text) => out += text, err: (text) => err += text });
  return { code, out, err, made };
}

/** Command lines, and the call that each makes. */
const LINES: [string, string, unknown][] = [
  ["init --dir a", "init", { dir: "a" }],
  ["init --dir a --server-name s --client-name c --days 30", "init", {
    dir: "a",
    serverName: "s",
    clientName: "c",
    days: 30,
  }],
  ["issue --dir a --name x", "issue", { dir: "a", name: "x" }],
  ["issue --dir a --name x --days 9 --dns b.example --dns c.example --uri urn:d:e", "issue", {
    dir: "a",
    name: "x",
    days: 9,
    dns: ["b.example", "c.example"],
    uri: ["urn:d:e"],
  }],
  ["issue --dir a --name x --server --server-name s", "issue", {
    dir: "a",
    name: "x",
    server: true,
    serverName: "s",
  }],
  ["renew --dir a --name x", "renew", { dir: "a", name: "x" }],
  ["renew --dir a --name x --days 9 --keep-key", "renew", { dir: "a", name: "x", days: 9, keepKey: true }],
  ["revoke --dir a --name x", "revoke", { dir: "a", which: { name: "x" } }],
  ["revoke --dir a --serial AB:CD --reason keyCompromise --days 9", "revoke", {
    dir: "a",
    which: { serial: "abcd" },
    reason: "keyCompromise",
    days: 9,
  }],
  ["crl --dir a", "crl", { dir: "a" }],
  ["crl --dir a --days 9", "crl", { dir: "a", days: 9 }],
  ["show --dir a", "show", { dir: "a", files: [] }],
  ["show x.crt y.crt", "show", { files: ["x.crt", "y.crt"] }],
  ["show --dir a x.crt --json", "show", { dir: "a", files: ["x.crt"] }],
];

Deno.test("certs passes the options of a command line on", async () => {
  for (const [line, command, options] of LINES) {
    const { code, err, made } = await call(line.split(" "));
    assert.deepEqual([code, err, made], [0, "", [[command, options]]], line);
  }
});

Deno.test("certs prints the files written and the notes", async () => {
  assert.equal((await call(["init", "--dir", "a"])).out, "wrote a/x.crt\nwrote a/x.key\n");
  for (const command of ["issue", "renew", "revoke"]) {
    const { out } = await call([command, "--dir", "a", "--name", "x"]);
    assert.equal(out, "wrote a/x.crt\nwrote a/x.key\na note\n", command);
  }
  assert.match((await call(["crl", "--dir", "a"])).out, /a note\n$/);
});

Deno.test("certs prints an error in one line, and exits with 1", async () => {
  const fail = () => Promise.reject(new Error("Cannot write a/ca.crt: file exists"));
  for (const command of ["init", "issue", "renew", "revoke", "crl", "show"] as const) {
    const name = ["issue", "renew", "revoke"].includes(command) ? ["--name", "x"] : [];
    const failed = await call([command, "--dir", "a", ...name], { [command]: fail });
    assert.equal(failed.code, 1, command);
    assert.equal(failed.err, "sallyport-agent: Cannot write a/ca.crt: file exists\n");
    assert.equal(failed.out, "");
  }
});

Deno.test("certs exits with 2 on an invalid command line, and does nothing", async () => {
  const lines: [string, RegExp][] = [
    ["init", /--dir/],
    ["init --dir a --days 0", /from 1 to 36500/],
    ["init --dir a --days 36501", /from 1 to 36500/],
    ["init --dir a --days soon", /from 1 to 36500/],
    ["init --dir a --server-name a_b/c", /expected a host name or an address/],
    ["init --dirr a", /^sallyport-agent: unknown option '--dirr' \(Did you mean --dir\?\)\n$/],
    ["init --dir a --dayss 3", /unknown option '--dayss' \(Did you mean --days\?\)/],
    ["isue --dir a", /unknown command 'isue' \(Did you mean issue\?\)/],
    ["issue --dir a --name x --server --server-name a/b", /expected a host name or an address/],
    ["issue --dir a", /--name/],
    ["issue --name x", /--dir/],
    ["issue --dir a --name ../x", /expected 1 to 60 letters/],
    ["issue --dir a --name ca", /other than ca and crl/],
    ["issue --dir a --name x --dns a/b", /expected a host name/],
    ["issue --dir a --name x --uri nothing", /expected a URI/],
    ["issue --dir a --name x --server-name s", /'--server-name <name>' needs '--server'/],
    ["renew --dir a --name x --days 1.5", /from 1 to 36500/],
    ["revoke --dir a", /'--name <name>' and '--serial <hex>' is needed/],
    ["revoke --dir a --name x --serial ab", /cannot be used with/],
    ["revoke --dir a --serial xyz", /1 to 20 bytes in hex/],
    ["revoke --dir a --name x --reason boredom", /Allowed choices are unspecified, keyCompromise/],
    ["revoke --dir a --name x --reason removeFromCRL", /Allowed choices are/],
    ["show", /'--dir <dir>' or a file is needed/],
    ["burn", /unknown command 'burn'/],
  ];
  for (const [line, message] of lines) {
    const { code, out, err, made } = await call(line.split(" "));
    assert.equal(code, 2, line);
    assert.match(err, /^sallyport-agent: [^\n]+\n$/, line);
    assert.match(err, message, line);
    assert.deepEqual([out, made], ["", []], line);
  }
});

Deno.test("certs show exits with 1 when there is a problem, as text and as JSON", async () => {
  const bad: Report = { kind: "unreadable", file: "a/x.crt", problems: ["it is broken"] };
  const show = () => Promise.resolve([bad]);
  const text = await call(["show", "a/x.crt"], { show });
  assert.deepEqual([text.code, text.err], [1, ""]);
  assert.equal(text.out, "a/x.crt\n  PROBLEM     it is broken\n");
  const json = await call(["show", "a/x.crt", "--json"], { show });
  assert.equal(json.code, 1);
  assert.deepEqual(JSON.parse(json.out), [bad]);
  assert.equal((await call(["show", "a/x.crt"], { show: () => Promise.resolve([]) })).code, 0);
});

Deno.test("certs show --json escapes control and hidden characters", async () => {
  const report: Report = { kind: "unreadable", file: "x\u009b31m\u202e.crt", problems: ["it is broken"] };
  const { out } = await call(["show", "x.crt", "--json"], { show: () => Promise.resolve([report]) });
  assert.ok(out.includes('"x\\u009b31m\\u202e.crt"'), out);
  assert.deepEqual(JSON.parse(out), [report]);
});

Deno.test("certs documents renewal files and exit codes in its help", async () => {
  const renew = (await call(["renew", "--help"])).out.replace(/\s+/g, " ");
  assert.match(renew, /old files are kept as NAME\.crt\.old and NAME\.key\.old/);
  assert.match(renew, /the key first and the certificate right after it/);
  assert.match(
    (await call(["show", "--help"])).out.replace(/\s+/g, " "),
    /Exits with 1 when something is expired/,
  );
});
