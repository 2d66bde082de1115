import assert from "node:assert/strict";
import { VERSION } from "../../shared/version.ts";
import { agentCli, type AgentCommands, type InitOptions } from "./cli.ts";

async function call(args: string[], commands: Partial<AgentCommands> = {}) {
  let out = "", err = "";
  const ran: (string | undefined)[] = [];
  const made: InitOptions[] = [];
  const code = await agentCli(args, {
    run(file) {
      ran.push(file);
      return Promise.resolve(0);
    },
    initCertificates(options) {
      made.push(options);
      return Promise.resolve({ files: ["a/ca.crt", "a/ca.key"] });
    },
    ...commands,
  }, { out: (text) => out += text, err: (text) => err += text });
  return { code, out, err, ran, made };
}

Deno.test("agent runs by default and when told to, with or without a file", async () => {
  assert.deepEqual((await call([])).ran, [undefined]);
  assert.deepEqual((await call(["run"])).ran, [undefined]);
  assert.deepEqual((await call(["--config", "a.yaml"])).ran, ["a.yaml"]);
  assert.deepEqual((await call(["run", "--config=a.yaml"])).ran, ["a.yaml"]);
});

Deno.test("agent exits with what the run returns", async () => {
  for (const code of [0, 1, 2]) {
    assert.equal((await call([], { run: () => Promise.resolve(code) })).code, code);
  }
});

Deno.test("agent makes certificates and names the files", async () => {
  const args = ["certs", "init", "--dir", "a", "--server-name", "s", "--client-name", "c", "--days", "30"];
  const all = await call(args);
  assert.deepEqual(all.made, [{ dir: "a", serverName: "s", clientName: "c", days: 30 }]);
  assert.equal(all.out, "wrote a/ca.crt\nwrote a/ca.key\n");
  assert.equal(all.code, 0);
  assert.deepEqual((await call(["certs", "init", "--dir", "a"])).made, [{ dir: "a" }]);
});

Deno.test("agent says why certificates were not made, in one line", async () => {
  const initCertificates = () => Promise.reject(new Error("Cannot write a/ca.crt: file exists"));
  const failed = await call(["certs", "init", "--dir", "a"], { initCertificates });
  assert.equal(failed.code, 1);
  assert.equal(failed.err, "sallyport-agent: Cannot write a/ca.crt: file exists\n");
});

Deno.test("agent refuses a command line that makes no sense with 2 and a line that begins with its name", async () => {
  const lines = [
    ["--confg", "a.yaml"],
    ["--config"],
    ["walk"],
    ["run", "more"],
    ["certs", "init"],
    ["certs", "init", "--dir", "a", "--days", "0"],
    ["certs", "init", "--dir", "a", "--days", "soon"],
  ];
  for (const args of lines) {
    const { code, out, err, ran, made } = await call(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, /^sallyport-agent: [^\n]+\n$/, args.join(" "));
    assert.equal(out, "");
    assert.deepEqual([ran, made], [[], []]);
  }
});

Deno.test("agent prints its version and its help", async () => {
  const version = await call(["--version"]);
  assert.deepEqual([version.code, version.out, version.ran], [0, `${VERSION}\n`, []]);
  const help = await call(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /run.*\(the default\)[\s\S]*certs/);
  assert.deepEqual(help.ran, []);
  assert.match((await call(["run", "--help"])).out, /--config <file>/);
});
