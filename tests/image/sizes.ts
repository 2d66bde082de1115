/**
 * Prints the size of each part of the server's image as a table for docs/image.md, which says how to run this. Needs
 * the programs of container_test.ts, gzip and zstd.
 */
import { bundle } from "../../scripts/build/bundle.ts";
import { readEmbedded } from "./embedded.ts";
import { Images } from "./images.ts";
import { packBase, run, whyNoStandIns } from "./stand_ins.ts";
import { terminal } from "../../shared/cli/terminal.ts";

const COMPRESSIONS = ["gzip -6", "zstd -3", "zstd -12", "zstd -19"];

/** Packs a file as a layer. */
async function layerOf(path: string): Promise<string> {
  const at = path.lastIndexOf("/");
  await run("tar", [
    "--create",
    `--file=${path}.tar`,
    `--directory=${path.slice(0, at)}`,
    path.slice(at + 1),
  ]);
  return `${path}.tar`;
}

/** Size of a file, and its size with each compression. */
async function sizesOf(path: string): Promise<number[]> {
  const sizes = [(await Deno.stat(path)).size];
  for (const compression of COMPRESSIONS) {
    const script = `${compression} --stdout --quiet -- "$1" | wc -c`;
    sizes.push(Number(await run("sh", ["-c", script, "sh", path])));
  }
  return sizes;
}

function print(cells: readonly string[]): void {
  terminal.out(`| ${cells.join(" | ")} |\n`);
}

const why = await whyNoStandIns();
if (why !== undefined) throw new Error(`Cannot build the image: ${why}`);
await using images = await Images.create();
const root = await images.root(await images.build("server", "0123456789ab"));
const { section } = readEmbedded(await Deno.readFile(`${root}/server`));
const { dir } = images;
await Deno.writeFile(`${dir}/bundle`, section);
await Deno.writeFile(`${dir}/minified`, await bundle("server/main.ts", { minify: true }));
await Deno.copyFile(Deno.execPath(), `${dir}/runtime`);
await run("sh", ["-c", 'cat "$1/runtime" "$1/bundle" >"$1/server"', "sh", dir]);

print(["MB", "uncompressed", ...COMPRESSIONS.map((compression) => `\`${compression}\``)]);
print(["---", ...["", ...COMPRESSIONS].map(() => "---:")]);
const row = (name: string, sizes: readonly number[]) =>
  print([name, ...sizes.map((size) => (size / 1e6).toFixed(1))]);
const base = await sizesOf(await packBase(dir));
const program = await sizesOf(await layerOf(`${dir}/server`));
row("base", base);
row("runtime", await sizesOf(`${dir}/runtime`));
row("bundle, with its commit and permissions", await sizesOf(`${dir}/bundle`));
row("bundle, minified", await sizesOf(`${dir}/minified`));
row("the executable's layer: runtime and bundle", program);
row("whole image: base and executable", base.map((size, at) => size + program[at]!));
