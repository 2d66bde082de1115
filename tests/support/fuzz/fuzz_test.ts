import assert from "node:assert/strict";
import { readRegressions, storeRegression } from "./fuzz_regressions.ts";
import { NO_NODE_MODULES } from "../../../scripts/process/task_command.ts";

async function withDir(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(`${dir}/regressions`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("regressions are stored in order and read again, with values if JSON can represent them", () =>
  withDir(async (dir) => {
    const name = "parser accepts: anything/at all";
    assert.deepEqual(await readRegressions(name, dir), []);
    const message = await storeRegression(
      name,
      { seed: 7, path: "3:0", counterexample: [{ a: ["x"] }] },
      dir,
    );
    assert.match(message, /parser_accepts_anything_at_all\.json, seed 7, path 3:0/);
    await storeRegression(name, { seed: 8, path: "1", counterexample: [new Uint8Array(2)] }, dir);
    await storeRegression(name, { seed: 9, path: "2", counterexample: [undefined] }, dir);
    assert.deepEqual(await readRegressions(name, dir), [
      { seed: 7, path: "3:0", counterexample: [{ a: ["x"] }] },
      { seed: 8, path: "1" },
      { seed: 9, path: "2" },
    ]);
  }));

Deno.test("a regression that cannot be stored is reported with its seed", () =>
  withDir(async (dir) => {
    await Deno.writeTextFile(dir, "a file where the directory should be");
    assert.match(await storeRegression("x", { seed: 5, path: "4" }, dir), /Cannot store seed 5, path 4/);
  }));

/** Runs a fuzz test in its own process; returns its output. */
async function runFuzz(property: string, dir: string): Promise<string> {
  const file = `${import.meta.dirname}/../../fuzz/temporary_${crypto.randomUUID()}_test.ts`;
  await Deno.writeTextFile(
    file,
    `import fc from "fast-check";
     import { fuzz } from "../support/fuzz/fuzz.ts";
     fuzz("temporary", [fc.integer({ min: 0, max: 1_000_000 })], ${property}, { share: 0.01, dir: "${dir}" });`,
  );
  try {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        NO_NODE_MODULES,
        "--no-check",
        "--allow-read",
        "--allow-write",
        "--allow-env=CI",
        file,
      ],
      env: { NO_COLOR: "1", CI: "false" },
    }).output();
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("fuzz prints how many cases it ran, stores a failure with its seed and replays it first", () =>
  withDir(async (dir) => {
    assert.match(await runFuzz("() => {}", dir), /fuzz: 120 cases of temporary/);
    const failed = await runFuzz("(n) => { if (n > 5_000) throw new Error('too large'); }", dir);
    assert.match(failed, /Stored in .*temporary\.json, seed -?\d+, path /);
    const stored = await readRegressions("temporary", dir);
    assert.deepEqual(stored.map(({ counterexample }) => counterexample), [[5_001]]);
    const again = await runFuzz("(n) => { if (n === 5_001) throw new Error('again'); }", dir);
    assert.match(again, /Property failed after 1 tests[^]*again/);
    assert.equal((await readRegressions("temporary", dir)).length, 1, "a known case is not stored twice");
    assert.match(await runFuzz("() => {}", dir), /fuzz: 121 cases of temporary/);
  }));
