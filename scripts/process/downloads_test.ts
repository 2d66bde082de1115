import assert from "node:assert/strict";
import { childEnvironment } from "./child_environment.ts";
import { DOWNLOADS, isDue } from "./downloads.ts";
import { NO_NODE_MODULES } from "./task_command.ts";

const ROOT = new URL("../../", import.meta.url);

/** Names of the packages that modules import, directly or not, whenever they are loaded. */
async function packagesOf(...modules: readonly string[]): Promise<Set<string>> {
  const names = modules.map(async (module) => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", NO_NODE_MODULES, "--json", module],
      cwd: ROOT,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const info: { modules: { npmPackage?: string }[] } = JSON.parse(new TextDecoder().decode(stdout));
    return info.modules.flatMap(({ npmPackage }) => npmPackage?.replace(/(?<=.)@.*$/, "") ?? []);
  });
  return new Set((await Promise.all(names)).flat());
}

/** Modules that a program loads at work, by its main module. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  "scripts/demo.ts": ["agent/main.ts", "server/main.ts"],
  "scripts/soak.ts": ["agent/main.ts", "server/main.ts"],
  "tests/bench/main.ts": ["agent/main.ts", "server/main.ts"],
  "scripts/run_tests.ts": ["tests/browser/unpack.ts"],
};

for (const [module, { atStart, atWork }] of Object.entries(DOWNLOADS)) {
  Deno.test(`the announcement of ${module} looks for packages that it loads`, async () => {
    const first = await packagesOf(module);
    if (atStart !== undefined) assert.ok(first.has(atStart), `${atStart} is loaded at every start`);
    assert.equal(atWork !== undefined, module in LATER);
    if (atWork === undefined) return;
    assert.ok(!first.has(atWork), `${atWork} is loaded later`);
    assert.ok((await packagesOf(...LATER[module]!)).has(atWork), `${atWork} is loaded at work`);
  });
}

Deno.test("a download is due only when the package is missing that is loaded then", () => {
  const demo = { megabytes: 15, what: "libraries", atStart: "small", atWork: "large" };
  const deploy = { megabytes: 24, what: "libraries", atStart: "small" };
  const nothing = () => false;
  assert.equal(isDue(demo, "start", [], nothing), true);
  assert.equal(isDue(demo, "start", ["--proxi-port", "1"], (name) => name === "small"), false);
  assert.equal(isDue(demo, "work", [], (name) => name === "small"), true);
  assert.equal(isDue(demo, "work", [], (name) => name === "large"), false);
  assert.equal(isDue(demo, "start", ["--help"], nothing), false, "help loads little");
  assert.equal(isDue(deploy, "start", ["--help"], nothing), true, "help loads everything");
  assert.equal(isDue(deploy, "work", [], nothing), false);
});

for (
  const words of [
    ["deploy", "--help"],
    ["deploy", "--regoin", "x"],
    ["destroy", "--help"],
    ["redeploy", "--help"],
    ["test", "--help"],
    ["demo", "--help"],
    ["demo", "--proxi-port", "1"],
  ]
) {
  Deno.test(`deno task ${words.join(" ")} announces no download and prints no warning once everything is cached`, async () => {
    const start = async () => {
      const { stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", ...words],
        cwd: ROOT,
        env: { ...childEnvironment(), NO_COLOR: "1" },
        clearEnv: true,
        stdin: "null",
      }).output();
      return new TextDecoder().decode(stderr);
    };
    await start(); // may be the first start
    const said = await start();
    assert.doesNotMatch(said, /first start|^Info/m);
    if (words.includes("--help")) assert.equal(said, "");
  });
}
