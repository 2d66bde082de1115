import assert from "node:assert/strict";
import { bundle } from "./bundle.ts";
import { checkEsbuild, findDenoDir } from "./esbuild.ts";

Deno.test("the esbuild that Deno downloads has the content that is pinned", async () => {
  await bundle("shared/errors.ts");
  assert.ok(await checkEsbuild(await findDenoDir()) > 0);
});

Deno.test("an esbuild with other content is refused, before it runs", async () => {
  const denoDir = await Deno.makeTempDir();
  const own = Deno.env.get("DENO_DIR");
  try {
    assert.equal(await checkEsbuild(denoDir), 0, "there is none yet");
    const from = await findDenoDir();
    const stored = [...Deno.readDirSync(`${from}/dl`)].find(({ name }) => name.startsWith("esbuild-"))!.name;
    const file = [...Deno.readDirSync(`${from}/dl/${stored}`)].find(({ name }) =>
      name.startsWith("esbuild-")
    )!.name;
    await Deno.mkdir(`${denoDir}/dl/${stored}`, { recursive: true });
    const script = `#!/bin/sh\ntouch '${denoDir}/ran'\n`;
    await Deno.writeTextFile(`${denoDir}/dl/${stored}/${file}`, script, { mode: 0o755 });
    Deno.env.set("DENO_DIR", denoDir);
    await assert.rejects(
      bundle("shared/errors.ts"),
      /Cannot trust \S+esbuild\S+: its SHA-256 is [0-9a-f]{64}, /,
    );
    await assert.rejects(Deno.stat(`${denoDir}/ran`), Deno.errors.NotFound);
  } finally {
    if (own === undefined) Deno.env.delete("DENO_DIR");
    else Deno.env.set("DENO_DIR", own);
    await Deno.remove(denoDir, { recursive: true });
  }
});

Deno.test("an esbuild for a platform without a pin is refused", async () => {
  const denoDir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${denoDir}/dl/esbuild-0.25.5`, { recursive: true });
    await Deno.writeTextFile(`${denoDir}/dl/esbuild-0.25.5/esbuild-android-arm64`, "");
    await assert.rejects(checkEsbuild(denoDir), /pins none for android-arm64/);
  } finally {
    await Deno.remove(denoDir, { recursive: true });
  }
});
