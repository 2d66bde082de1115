/**
 * Purpose: `deno task compile` makes executables with a program, its permissions and nothing else. Deno's runtime for
 * executables would have to be downloaded, so Deno itself stands in for it; such an executable starts as Deno. The test
 * reads the embedded content from the file. tests/e2e runs the bundle with the same flags, and a release runs the
 * executables themselves.
 */
import assert from "node:assert/strict";
import { bakedFlags } from "../../scripts/compile/command.ts";
import { childEnvironment } from "../../scripts/process/child_environment.ts";
import { fileName, ownTarget, PROGRAMS } from "../../scripts/compile/targets.ts";
import { modulesIn, readEmbedded } from "./embedded.ts";
import { NO_NODE_MODULES } from "../../scripts/process/task_command.ts";

const ROOT = new URL("../../", import.meta.url);
const target = ownTarget();
const why = target === undefined ? `no executables are made for ${Deno.build.target}` : undefined;

/** Runs the task with Deno instead of its runtime for executables. */
async function compileTask(out: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "compile", "--out", out],
    cwd: ROOT,
    env: { ...childEnvironment(), DENORT_BIN: Deno.execPath(), SOURCE_COMMIT: "0123456789ab", NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** Modules of the project that a program imports, directly or not. */
async function graphOf(program: string): Promise<Set<string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", NO_NODE_MODULES, "--json", `${program}/main.ts`],
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  const { modules }: { modules: { specifier: string }[] } = JSON.parse(new TextDecoder().decode(stdout));
  return new Set(
    modules.map(({ specifier }) => specifier).filter((specifier) => specifier.startsWith(ROOT.href))
      .map((specifier) => specifier.slice(ROOT.href.length)),
  );
}

/** Permissions by their flags, each with its scope. */
type Rights = Map<string, Set<string>>;

/** The permissions of an executable. */
function rightsIn(permissions: Readonly<Record<string, readonly string[] | boolean | null>>): Rights {
  return new Map(
    Object.entries(permissions).flatMap(([name, values]) =>
      Array.isArray(values) && name !== "allow_import"
        ? [[`--${name.replace("_", "-")}`, new Set(values)]]
        : []
    ),
  );
}

/** Parses permission flags of `deno run`; those of a repeated flag add up. */
function rightsOf(flags: readonly string[]): Rights {
  const rights: Rights = new Map();
  for (const flag of flags.filter((flag) => /^--(allow|deny|ignore)-/.test(flag))) {
    const [name, values = ""] = flag.split("=") as [string, string?];
    rights.set(name, (rights.get(name) ?? new Set()).union(new Set(values === "" ? [] : values.split(","))));
  }
  return rights;
}

Deno.test({
  name: `executables contain the program, its permissions and no other file${why ? ` (${why})` : ""}`,
  ignore: why !== undefined,
  async fn() {
    const out = await Deno.makeTempDir({ prefix: "sallyport_dist_" });
    try {
      const printed = await compileTask(out);
      const names = PROGRAMS.map((program) => fileName(program, target!));
      const boms = PROGRAMS.map((program) => `${program}.cdx.json`);
      assert.deepEqual(
        [...Deno.readDirSync(out)].map(({ name }) => name).sort(),
        [
          "SHA256SUMS",
          ...names,
          ...boms,
        ].sort(),
      );
      const sums = await Deno.readTextFile(`${out}/SHA256SUMS`);
      for (const name of [...names, ...boms]) {
        const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${out}/${name}`));
        assert.ok(sums.includes(`${new Uint8Array(digest).toHex()}  ${name}\n`), name);
      }
      await compileTask(`${out}/again`);
      assert.equal(await Deno.readTextFile(`${out}/again/SHA256SUMS`), sums, "the same bytes every time");
      const runtime = (await Deno.stat(Deno.execPath())).size;
      for (const [at, program] of PROGRAMS.entries()) {
        const path = `${out}/${names[at]}`;
        const { size, mode } = await Deno.stat(path);
        assert.ok(printed.includes(`${path}  ${(size / 1e6).toFixed(1)} MB\n`), printed);
        if (Deno.build.os !== "windows") assert.equal(mode! & 0o777, 0o755 & ~Deno.umask());
        const { metadata, files, section } = readEmbedded(await Deno.readFile(path));
        // Apart from the runtime and the embedded content there are less than 4 MiB of headers and padding.
        const rest = size - runtime - section.length;
        assert.ok(rest >= 0 && rest < 4 * 2 ** 20, `${rest} bytes of ${path} are neither`);

        assert.deepEqual([...files.keys()].sort(), [".build/commit", `.build/${program}.js`].sort());
        assert.equal(metadata.entrypoint_key, `.build/${program}.js`);
        assert.equal(new TextDecoder().decode(files.get(".build/commit")), "0123456789ab");
        assert.deepEqual(metadata.argv, []);
        assert.deepEqual(metadata.env_vars_from_env_file, {});

        const flags = await bakedFlags(program);
        assert.deepEqual(rightsIn(metadata.permissions), rightsOf(flags));
        assert.equal(metadata.permissions["prompt"], false);
        const v8Flags = flags.find((flag) => flag.startsWith("--v8-flags="))!.slice(11).split(",");
        for (const flag of v8Flags) assert.ok(metadata.v8_flags.includes(flag), flag);

        const graph = await graphOf(program);
        const own = modulesIn(files.get(`.build/${program}.js`)!).filter((path) => !path.startsWith("npm:"));
        assert.ok(own.includes(`${program}/main.ts`) && own.length > 50, `${own.length} modules`);
        assert.deepEqual(own.filter((path) => !graph.has(path)), [], "modules that it does not import");
        assert.deepEqual(own.filter((path) => path.endsWith("_test.ts")), []);
        // The program's own code contains this word too, but without the bytes of a key after it.
        const keys = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{32}/;
        assert.doesNotMatch(new TextDecoder("latin1").decode(section), keys);
      }
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});
