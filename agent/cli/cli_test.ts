import assert from "node:assert/strict";
import { versionText } from "../../shared/version.ts";
import { agentCli, type AgentCommands } from "./cli.ts";

async function call(args: string[], commands: Partial<AgentCommands> = {}) {
  let out = "", err = "";
  const ran: (string | undefined)[] = [];
  const code = await agentCli(args, {
    run(file) {
      ran.push(file);
      return Promise.resolve(0);
    },
    status: () => assert.fail("status was not asked for"),
    env: () => assert.fail("env was not asked for"),
    exec: () => assert.fail("exec was not asked for"),
    doctor: () => assert.fail("doctor was not asked for"),
    certificates: () => assert.fail("certs was not asked for"),
    ...commands,
  }, { out: (text) => out += text, err: (text) => err += text });
  return { code, out, err, ran };
}

Deno.test("agent runs by default and with run, with or without a file", async () => {
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

Deno.test("agent exits with 2 and one line of error for an invalid command line", async () => {
  for (const args of [["--confg", "a.yaml"], ["--config"], ["walk"], ["run", "more"]]) {
    const { code, out, err, ran } = await call(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, /^sallyport-agent: [^\n]+\n$/, args.join(" "));
    assert.equal(out, "");
    assert.deepEqual(ran, []);
  }
});

Deno.test("agent prints its version and its help", async () => {
  const version = await call(["--version"]);
  assert.deepEqual([version.code, version.out, version.ran], [0, `${versionText()}\n`, []]);
  const help = await call(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /run.*\(the default\)[\s\S]*certs/);
  assert.match(help.out, /Option of run:\n +--config <file> /);
  const mistyped = await call(["statsu"]);
  assert.deepEqual(
    [mistyped.code, mistyped.err, mistyped.ran],
    [2, "sallyport-agent: unknown command 'statsu' (Did you mean status?)\n", []],
  );
  assert.deepEqual(help.ran, []);
  assert.match((await call(["run", "--help"])).out, /--config <file>/);
});

Deno.test("agent status, env and exec get their options, and a command keeps its own", async () => {
  const asked: unknown[] = [];
  const note = (...args: unknown[]) => {
    asked.push(args);
    return Promise.resolve(3);
  };
  const commands = { status: note, exec: note, env: note };
  assert.equal((await call(["status", "--json", "--config", "a.yaml"], commands)).code, 3);
  assert.equal((await call(["env", "--shell", "fish", "--git"], commands)).code, 3);
  assert.equal((await call(["exec", "--config", "a.yaml", "--", "curl", "--config", "b"], commands)).code, 3);
  assert.equal((await call(["exec", "git", "--git", "-x"], commands)).code, 3);
  assert.deepEqual(asked, [
    ["a.yaml", true],
    [undefined, "fish", true],
    ["a.yaml", ["curl", "--config", "b"], false],
    [undefined, ["git", "--git", "-x"], false],
  ]);
  assert.equal((await call(["exec"], commands)).code, 2);
  assert.equal((await call(["env", "--shell", "tcsh"], commands)).code, 2);
  asked.length = 0;
  for (const shell of ["zsh", "/usr/bin/ksh", "cmd"]) await call(["env", "--shell", shell], commands);
  await call(["env"], commands);
  assert.deepEqual(asked, ["zsh", "ksh", "cmd", undefined].map((shell) => [undefined, shell, false]));
});

Deno.test("agent doctor passes and checks its options", async () => {
  const asked: unknown[] = [];
  const doctor: AgentCommands["doctor"] = (file, { control, page, timeoutMs, wake }, asJson) => {
    asked.push([file, control.href, page.href, timeoutMs, wake, asJson]);
    return Promise.resolve(51);
  };
  assert.equal((await call(["doctor"], { doctor })).code, 51);
  const given = ["--config", "a", "--json", "--wake", "--control", "http://a/", "--page", "http://b/"];
  await call(["doctor", ...given, "--timeout", "500ms"], { doctor });
  assert.deepEqual(asked, [
    [undefined, "http://example.com/", "http://example.com/", 5_000, false, false],
    ["a", "http://a/", "http://b/", 500, true, true],
  ]);
  for (
    const wrong of [["--control", "https://a/"], ["--page", "a"], ["--timeout", "5"], ["--timeout", "11m"], [
      "--page",
      "http://u:p@a/",
    ]]
  ) {
    assert.equal((await call(["doctor", ...wrong], { doctor })).code, 2, wrong.join(" "));
  }
  const bare = await call(["doctor", "--timeout", "5000"], { doctor });
  assert.match(bare.err, /5000: add a unit, as in 5s/);
  assert.match((await call(["doctor", "--help"])).out, /\(default:\s+"5s"\)/);
});
