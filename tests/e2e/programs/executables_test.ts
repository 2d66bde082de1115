/**
 * Purpose: the bundles of the executables work as one file, with the flags of the executables. Deno's runtime for
 * executables would have to be downloaded, so Deno itself runs the bundles here; a release runs all of these tests with
 * the executables, set by AGENT_BIN and SERVER_BIN.
 */
import assert from "node:assert/strict";
import { bundle } from "../../../scripts/build/bundle.ts";
import { bakedFlags } from "../../../scripts/compile/command.ts";
import { type ProgramName, PROGRAMS } from "../../../scripts/compile/targets.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startHttpOrigin } from "../../support/origins/http_origin.ts";
import { startProgram } from "../../support/programs/programs.ts";

/** Makes a script that stands in for an executable. */
async function standIn(program: ProgramName, dir: string): Promise<string> {
  await Deno.mkdir(`${dir}/.build`, { recursive: true });
  await Deno.writeTextFile(`${dir}/.build/commit`, "0123456789ab");
  await Deno.writeFile(`${dir}/.build/${program}.js`, await bundle(`${program}/main.ts`));
  const words = [Deno.execPath(), "run", ...await bakedFlags(program), `${dir}/.build/${program}.js`];
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  await Deno.writeTextFile(`${dir}/${program}`, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
  return `${dir}/${program}`;
}

Deno.test("agent and server run from one file each, issue certificates, carry traffic and show their commit", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sallyport_bin_" });
  try {
    for (const program of PROGRAMS) {
      Deno.env.set(`${program.toUpperCase()}_BIN`, await standIn(program, dir));
    }
    await using certs = await startProgram("certs", ["init", "--dir", `${dir}/certs`]);
    assert.equal((await certs.ended).code, 0, certs.log.text);
    await using origin = startHttpOrigin(() => new Response("hello"));
    await using chain = await Chain.start();
    const { text } = await curl(["-x", chain.proxyUrl, `http://${origin.host}/`]);
    assert.equal(text, "hello", chain.agent.log.text);
    const guide = await curl([`http://127.0.0.1:${chain.consolePort}/troubleshooting`]);
    assert.match(guide.text, /^# Troubleshooting\n/, "the guide is a part of the executable");
    await chain.finish();
    for (const program of PROGRAMS) {
      await using version = await startProgram(program, ["--version"]);
      assert.equal((await version.ended).code, 0);
      assert.match(version.out.text, /^\d+\.\d+\.\d+ \(0123456789ab\)\n$/);
    }
  } finally {
    for (const program of PROGRAMS) Deno.env.delete(`${program.toUpperCase()}_BIN`);
    await Deno.remove(dir, { recursive: true });
  }
});
