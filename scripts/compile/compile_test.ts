import assert from "node:assert/strict";
import { zipSync } from "fflate";
import { taskCommand } from "../process/task_command.ts";
import { compileArguments } from "./command.ts";
import { compile, prepare, tidy, writeChecksums } from "./compile.ts";
import { archiveName } from "./denort.ts";
import { fileName, ownTarget, PROGRAMS, type Target, TARGETS } from "./targets.ts";

Deno.test("executables are named after program and platform, with .exe on Windows", () => {
  assert.equal(fileName("agent", "linux-arm64"), "agent-linux-arm64");
  assert.equal(fileName("server", "windows-x64"), "server-windows-x64.exe");
});

Deno.test("the platform of this machine is the default", () => {
  const own = ownTarget();
  assert.equal(
    own === undefined ? undefined : TARGETS[own],
    own === undefined ? undefined : Deno.build.target,
  );
});

for (const program of PROGRAMS) {
  Deno.test(`the executable of the ${program} has the permissions of its tasks`, async () => {
    const { flags } = await taskCommand(program);
    for (const target of Object.keys(TARGETS) as Target[]) {
      const args = await compileArguments(program, target, "/out");
      for (const flag of flags.slice(1)) assert.ok(args.includes(flag), `${flag} in ${args.join(" ")}`);
      assert.ok(args.includes(`--output=/out/${fileName(program, target)}`));
      const allowed = args.filter((arg) => /^--allow|^-A/.test(arg));
      const own = flags.filter((flag) => flag.startsWith("--allow"));
      assert.deepEqual(
        allowed.filter((flag) => !own.includes(flag)),
        program === "agent" ? ["--allow-write", "--allow-env=INIT_CWD", "--allow-run"] : [],
      );
    }
  });
}

/** A release host that serves a program of this machine instead of Deno's runtime. */
async function releaseHost(program: Uint8Array<ArrayBuffer>, published: (digest: string) => string) {
  const archive = zipSync({ denort: program }, { level: 1 });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", archive)).toHex();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const name = new URL(request.url).pathname.split("/").at(-1);
    if (name === archiveName("linux-x64")) return new Response(archive);
    return new Response(`${published(digest)}  ${archiveName("linux-x64")}\n`);
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test({
  name: "executables use the runtime that was downloaded and checked, and none with another checksum",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const dir = await Deno.makeTempDir();
    const program = await Deno.readFile("/bin/true");
    try {
      await prepare();
      {
        await using host = await releaseHost(program, (digest) => digest);
        assert.deepEqual(await compile("linux-x64", dir, host.url), ["agent-linux-x64", "server-linux-x64"]);
        for (const name of ["agent-linux-x64", "server-linux-x64"]) {
          const made = await Deno.readFile(`${dir}/${name}`);
          assert.ok(made.byteLength > program.byteLength, name);
          // Past the header, which deno compile changes.
          assert.deepEqual(made.subarray(1024, 8192), program.subarray(1024, 8192), name);
        }
      }
      await using host = await releaseHost(program, () => "0".repeat(64));
      await assert.rejects(compile("linux-x64", `${dir}/none`, host.url), /the published one is 0{64}$/);
      assert.deepEqual([...Deno.readDirSync(`${dir}/none`)], []);
    } finally {
      await tidy();
      await Deno.remove(dir, { recursive: true });
    }
  },
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
