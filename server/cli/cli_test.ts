import assert from "node:assert/strict";
import { versionText } from "../../shared/version.ts";
import { serverCli } from "./cli.ts";

async function call(args: string[], exitCode = 0) {
  let out = "", err = "";
  const ran: (string | undefined)[] = [];
  const run = (file: string | undefined) => {
    ran.push(file);
    return Promise.resolve(exitCode);
  };
  const code = await serverCli(args, { run, health: () => Promise.resolve(1) }, {
    out: (text) => out += text,
    err: (text) => err += text,
  });
  return { code, out, err, ran };
}

Deno.test("server runs with and without the subcommand, with and without a file", async () => {
  assert.deepEqual((await call([])).ran, [undefined]);
  assert.deepEqual((await call(["--config", "s.yaml"])).ran, ["s.yaml"]);
  assert.deepEqual((await call(["run", "--config", "s.yaml"])).ran, ["s.yaml"]);
});

Deno.test("server exits with the code of the run", async () => {
  for (const code of [0, 1, 2]) assert.equal((await call([], code)).code, code);
});

Deno.test("server refuses an invalid command line with exit code 2", async () => {
  for (const args of [["--port", "1"], ["certs"], ["--config"]]) {
    const { code, err, ran } = await call(args);
    assert.equal(code, 2);
    assert.match(err, /^sallyport-server: [^\n]+\n$/);
    assert.deepEqual(ran, []);
  }
});

Deno.test("server prints its version", async () => {
  const { code, out } = await call(["--version"]);
  assert.deepEqual([code, out], [0, `${versionText()}\n`]);
});
