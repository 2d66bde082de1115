import assert from "node:assert/strict";
import { taskCommand } from "../task_command.ts";
import { writeChecksums } from "./checksums.ts";
import { compileArguments } from "./command.ts";
import { explained } from "./compile.ts";
import { fileName, ownTarget, PROGRAMS, type Target, TARGETS } from "./targets.ts";

Deno.test("executables are named after program and machine, and Windows knows them by their end", () => {
  assert.equal(fileName("agent", "linux-arm64"), "agent-linux-arm64");
  assert.equal(fileName("server", "windows-x64"), "server-windows-x64.exe");
});

Deno.test("the executable of this machine is the default", () => {
  const own = ownTarget();
  assert.equal(
    own === undefined ? undefined : TARGETS[own],
    own === undefined ? undefined : Deno.build.target,
  );
});

for (const program of PROGRAMS) {
  Deno.test(`the executable of the ${program} has the permissions of its tasks baked in`, async () => {
    const { flags } = await taskCommand(program);
    for (const target of Object.keys(TARGETS) as Target[]) {
      const args = await compileArguments(program, target, "/out");
      for (const flag of flags.slice(1)) assert.ok(args.includes(flag), `${flag} in ${args.join(" ")}`);
      assert.ok(args.includes(`--output=/out/${fileName(program, target)}`));
      const allowed = args.filter((arg) => /^--allow|^-A/.test(arg));
      const own = flags.filter((flag) => flag.startsWith("--allow"));
      assert.deepEqual(
        allowed.filter((flag) => !own.includes(flag)),
        program === "agent" ? ["--allow-write", "--allow-run"] : [],
      );
    }
  });
}

Deno.test("a runtime that cannot be downloaded is told with what to do and why", () => {
  const said = `error: Writing deno compile executable to temporary file '/x'

Caused by:
    0: Setting up base binary.
    1: error sending request for url (https://dl.deno.land/release/denort.zip): client error (Connect): dns error
    2: dns error

Stack backtrace:
   0: <unknown>
`;
  const text = explained(said);
  assert.match(
    text,
    /^Deno's runtime .* cannot be downloaded from dl\.deno\.land; .* DENORT_BIN \(Setting up/,
  );
  assert.ok(!text.includes("\n"), text);
  assert.equal(explained("error: Module not found\n"), "error: Module not found");
});

Deno.test("checksums are what sha256sum reads", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/b`, "abc");
    await Deno.writeTextFile(`${dir}/a`, "");
    await writeChecksums(dir, ["b", "a"]);
    const [first, second] = (await Deno.readTextFile(`${dir}/SHA256SUMS`)).split("\n");
    assert.equal(first, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a");
    assert.equal(second, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
