import assert from "node:assert/strict";
import { bundle } from "./bundle.ts";
import { checkEsbuild, findDenoDir, provideEsbuild } from "./esbuild.ts";

Deno.test("the esbuild that Deno downloads has the pinned content", async () => {
  await bundle("shared/errors.ts");
  assert.ok(await checkEsbuild(await findDenoDir()) > 0);
});

Deno.test("an esbuild with other content is refused before it runs", async () => {
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

/** A registry on loopback whose `@esbuild/PLATFORM` contains this program, with valid npm checksums. */
async function registryOf(program: Uint8Array, folder: string) {
  await Deno.mkdir(`${folder}/package/bin`, { recursive: true });
  await Deno.writeFile(`${folder}/package/bin/esbuild`, program, { mode: 0o755 });
  const version = "0.25.5";
  const describe = (name: string) => ({ name, version });
  await Deno.writeTextFile(`${folder}/package/package.json`, JSON.stringify(describe("@esbuild/any")));
  const tar = new Deno.Command("tar", { args: ["-czf", `${folder}/any.tgz`, "-C", folder, "package"] });
  assert.ok((await tar.output()).success);
  const archive = await Deno.readFile(`${folder}/any.tgz`);
  const integrity = `sha512-${new Uint8Array(await crypto.subtle.digest("SHA-512", archive)).toBase64()}`;
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const { origin, pathname } = new URL(url);
    if (pathname.endsWith(".tgz")) return new Response(archive);
    const name = decodeURIComponent(pathname.slice(1));
    const dist = { tarball: `${origin}/any.tgz`, integrity };
    return Response.json({
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...describe(name), dist } },
    });
  });
}

for (const isGenuine of [false, true]) {
  const behaviour = isGenuine ? "the pinned esbuild is stored before it runs" : "another esbuild never runs";
  Deno.test(`with an empty cache, ${behaviour}`, async () => {
    const dir = await Deno.makeTempDir();
    const before = new Map(["DENO_DIR", "NPM_CONFIG_REGISTRY"].map((name) => [name, Deno.env.get(name)]));
    const from = await findDenoDir();
    await bundle("shared/errors.ts"); // puts the pinned one into the cache
    const stored = `${from}/dl/esbuild-0.25.5-1`;
    const [file] = [...Deno.readDirSync(stored)];
    const script = new TextEncoder().encode(`#!/bin/sh\ntouch '${dir}/ran'\n`);
    const program = isGenuine ? await Deno.readFile(`${stored}/${file!.name}`) : script;
    const registry = await registryOf(program, dir);
    try {
      Deno.env.set("DENO_DIR", `${dir}/deno`);
      Deno.env.set("NPM_CONFIG_REGISTRY", `http://127.0.0.1:${registry.addr.port}`);
      if (isGenuine) {
        await provideEsbuild(`${dir}/deno`);
        assert.equal(await checkEsbuild(`${dir}/deno`), 1);
        assert.deepEqual([...Deno.readDirSync(`${dir}/deno/dl/esbuild-0.25.5-1`)].map(({ name }) => name), [
          file!.name,
        ]);
      } else {
        await assert.rejects(bundle("shared/errors.ts"), /Cannot trust the program of npm package @esbuild/);
        await assert.rejects(Deno.stat(`${dir}/ran`), Deno.errors.NotFound);
        assert.equal(await checkEsbuild(`${dir}/deno`), 0, "nothing is stored");
      }
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
      await registry.shutdown();
      await Deno.remove(dir, { recursive: true });
    }
  });
}

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
