import { bakedFlags } from "../../scripts/compile/command.ts";
import { childEnvironment } from "../../scripts/process/child_environment.ts";
import { whyMissing } from "../support/tools.ts";

/** Folder in a running container for the stand-in for denort: it contains Deno and is writable. */
export const STAND_IN_FOLDER = "/stand-in";

/** Debian packages of distroless cc. CA certificates come from the bundle file. */
const PACKAGES = [
  "base-files",
  "libc6",
  "libgcc-s1",
  "libgomp1",
  "libssl3*",
  "libstdc++6",
  "netbase",
  "tzdata",
];
const CERTIFICATES = "etc/ssl/certs/ca-certificates.crt";
/** Parts of packages that are useless without a shell. */
const LEFT_OUT = /^usr\/(share\/(bug|doc|info|lintian|locale|man)|bin|sbin)\//;
const USERS = {
  "etc/passwd":
    "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
  "etc/group": "root:x:0:\nnonroot:x:65532:\n",
};
const HOME = "home/nonroot";

/** Returns why this machine cannot create the stand-in images; undefined when it can. */
export async function whyNoStandIns(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "images are built on Linux";
  if (Deno.uid() !== 0) return "only root may mount the root of an image";
  for (const program of ["buildah", "dpkg-query", "cc", "tar", "unshare", "setpriv"]) {
    const why = await whyMissing(program);
    if (why !== undefined) return why;
  }
  return await whyMissing("busybox", "--help");
}

/** Runs a program in the project's folder; returns its output. @throws {Error} When it fails, with its output. */
export async function run(program: string, args: readonly string[], input?: string): Promise<string> {
  const command = new Deno.Command(program, {
    args: [...args],
    cwd: new URL("../../", import.meta.url),
    env: { ...childEnvironment(), LC_ALL: "C", NO_COLOR: "1" },
    clearEnv: true,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const output = child.output();
  if (input !== undefined) await new Response(input).body!.pipeTo(child.stdin);
  const { success, stdout, stderr } = await output;
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`${program} ${args.join(" ")}:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

/**
 * Packs the stand-in for distroless cc: files of the same packages, as installed on this machine, and its two users.
 * It has no shell.
 */
export async function packBase(dir: string): Promise<string> {
  const found = await run("dpkg-query", [
    "--show",
    "--showformat=${binary:Package} ${db:Status-Status}\n",
    ...PACKAGES,
  ]);
  const packages = [...found.matchAll(/^(\S+) installed$/gm)].map(([, name]) => name!);
  const listed = (await run("dpkg-query", ["--listfiles", ...packages])).split("\n");
  const files = listed.filter((path) => /^\/./.test(path))
    // Some packages list files below the links /bin, /lib and /sbin of base-files.
    .map((path) => path.slice(1).replace(/^(bin|lib|lib64|sbin)\//, "usr/$1/"))
    .filter((path) => !LEFT_OUT.test(path));
  const tar = `${dir}/base.tar`;
  const list = [...new Set([...files, CERTIFICATES])].sort().join("\n");
  await run("tar", ["--create", `--file=${tar}`, "--directory=/", "--no-recursion", "--files-from=-"], list);
  const own = `${dir}/base`;
  for (const folder of ["etc", HOME]) await Deno.mkdir(`${own}/${folder}`, { recursive: true });
  for (const [path, text] of Object.entries(USERS)) await Deno.writeTextFile(`${own}/${path}`, text);
  await Deno.chown(`${own}/${HOME}`, 65532, 65532);
  const paths = [...Object.keys(USERS), HOME];
  await run("tar", ["--append", `--file=${tar}`, `--directory=${own}`, "--numeric-owner", ...paths]);
  return tar;
}

/**
 * Packs the stand-in for Deno's image with the parts that the build uses, a shell, `mv` and Deno, and with the stand-in
 * for denort.
 */
export async function packDeno(dir: string): Promise<string> {
  const bin = `${dir}/deno/usr/bin`;
  await Deno.mkdir(bin, { recursive: true });
  const busybox = (await run("sh", ["-c", "command -v busybox"])).trim();
  await run("cp", ["--dereference", busybox, `${bin}/busybox`]);
  for (const applet of ["sh", "mv"]) await Deno.symlink("busybox", `${bin}/${applet}`);
  await Deno.copyFile(Deno.execPath(), `${bin}/deno`);
  await compileDenort(`${bin}/denort`);
  const tar = `${dir}/deno.tar`;
  await run("tar", ["--create", `--file=${tar}`, `--directory=${dir}/deno`, "usr"]);
  return tar;
}

/** Compiles the stand-in for denort in the server's executable; see denort.c. */
async function compileDenort(path: string): Promise<void> {
  const flags = (await bakedFlags("server")).map((flag) => JSON.stringify(flag)).join();
  const options = ["-static", "-O2", "-s", "-Wall", "-Wextra", "-Werror", `-DFOLDER="${STAND_IN_FOLDER}"`];
  await run("cc", [...options, `-DFLAGS=${flags}`, `${import.meta.dirname}/denort.c`, "-o", path]);
}
