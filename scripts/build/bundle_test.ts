import assert from "node:assert/strict";
import { bundle } from "./bundle.ts";
import { findDenoDir } from "./esbuild.ts";

/** Imports one package. */
const MODULE = "shared/config/yaml_file.ts";

/** Runs `work` with another cache folder that has the bundler and the package of {@linkcode MODULE}. */
async function withOtherCache<T>(work: (denoDir: string) => Promise<T>): Promise<T> {
  const from = await findDenoDir();
  const dir = await Deno.makeTempDir({ prefix: "sallyport_cache_" });
  const own = Deno.env.get("DENO_DIR");
  try {
    const denoDir = `${dir}/some/where/else`;
    const registries = [...Deno.readDirSync(`${from}/npm`)].filter(({ isDirectory }) => isDirectory);
    const registry = registries.find(({ name }) => {
      return [...Deno.readDirSync(`${from}/npm/${name}`)].some((entry) => entry.name === "yaml");
    })!.name;
    for (const path of ["dl", `npm/${registry}/yaml`]) await copy(`${from}/${path}`, `${denoDir}/${path}`);
    const link = `${dir}/link`; // as on macOS, where temporary folders are behind a link
    await Deno.symlink(denoDir, link);
    Deno.env.set("DENO_DIR", link);
    return await work(link);
  } finally {
    if (own === undefined) Deno.env.delete("DENO_DIR");
    else Deno.env.set("DENO_DIR", own);
    await Deno.remove(dir, { recursive: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    await (isDirectory ? copy : Deno.copyFile)(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test("a bundle is the same wherever Deno caches packages", async () => {
  const own = new TextDecoder().decode(await bundle(MODULE));
  assert.match(own, /^\/\/ npm:yaml\/[\d.]+\/\S+$/m, "the package is named");
  assert.match(own, new RegExp(`^// ${RegExp.escape(MODULE)}$`, "m"));
  const other = await withOtherCache(async (denoDir) => {
    assert.equal(await findDenoDir(), denoDir);
    return new TextDecoder().decode(await bundle(MODULE));
  });
  assert.ok(own === other, "the same bytes");
});
