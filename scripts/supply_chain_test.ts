/** Purpose: everything that CI, releases and image builds download is pinned by its content, and jobs have only the permissions they need. */
import assert from "node:assert/strict";
import { filesUnder, githubFiles as files, jobs, read, workflows } from "../tests/support/workflows.ts";

/** Fails unless the folder has exactly the files that were compiled. */
const SAME_FILES = `echo "$CHECKSUMS  SHA256SUMS" | sha256sum --check --strict
sha256sum --check --strict SHA256SUMS
diff <(ls -A | sort) <((cut -c 67- SHA256SUMS; echo SHA256SUMS) | sort)
`;
const DIGEST = /@sha256:[0-9a-f]{64}$/;

Deno.test("every action is pinned to one commit everywhere, with its version in a comment", () => {
  const pins = new Map<string, string>();
  let count = 0;
  for (const path of files) {
    for (const [, text = ""] of read(path).matchAll(/^\s*(?:- )?uses:(.*)$/gm)) {
      const uses = text.trim();
      if (uses.startsWith("./")) continue;
      const [, action, pin] = /^([\w./-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(uses) ?? [];
      assert.ok(action !== undefined && pin !== undefined, `${path}: ${uses}`);
      assert.equal(pins.get(action) ?? pin, pin, `${path}: ${action}`);
      pins.set(action, pin);
      count++;
    }
  }
  const parsed = files.flatMap((path) => [...read(path).matchAll(/\buses:\s*[^.\s]/g)]);
  assert.equal(count, parsed.length, "every use was checked");
  assert.ok(pins.size >= 10, `${pins.size} actions`);
});

Deno.test("a job has the permissions it needs and no others", () => {
  const granted = jobs.map(({ path, workflow, name, job }) => {
    const permissions = job.permissions ?? workflow.permissions;
    assert.ok(permissions !== undefined && workflow.permissions !== undefined, `${path}: ${name}`);
    const writes = Object.keys(permissions).filter((scope) => permissions[scope] !== "read");
    return [name, writes.sort()] as const;
  });
  assert.deepEqual(Object.fromEntries(granted.filter(([, writes]) => writes.length > 0)), {
    image: ["packages"],
    attest: ["attestations", "id-token", "packages"],
    publish: ["contents"],
  });
});

Deno.test("jobs that sign and publish run no code of this repository or its libraries", () => {
  for (const { name, job } of jobs) {
    if (name !== "attest" && name !== "publish") continue;
    for (const { uses = "", run = "" } of job.steps) {
      assert.ok(!/checkout|^\.\//.test(uses), `${name}: ${uses}`);
      assert.ok(run === "" || run === SAME_FILES || run.startsWith("gh release create "), `${name}: ${run}`);
    }
  }
});

Deno.test("every job that uses the executables compares them with what was compiled", async () => {
  const release = workflows.get(".github/workflows/release.yml")!.jobs;
  const { outputs, steps } = release["executables"]!;
  assert.equal(outputs?.["checksums"], "${{ steps.checksums.outputs.sha256 }}");
  const compiled = steps.findIndex(({ run }) => run?.startsWith("deno task compile "));
  assert.equal(steps[compiled + 1]?.id, "checksums", "right after the compiler, before any other step");
  const users: string[] = [];
  for (const [name, { needs, steps }] of Object.entries(release)) {
    const at = steps.findIndex(({ uses }) => uses?.startsWith("actions/download-artifact@"));
    if (at === -1) continue;
    users.push(name);
    assert.ok([needs].flat().includes("executables"), `${name} has the digest`);
    const { run, env } = steps[at + 1] ?? {};
    assert.equal(run, SAME_FILES, name);
    assert.equal(env?.["CHECKSUMS"], "${{ needs.executables.outputs.checksums }}", name);
  }
  assert.deepEqual(users, ["test", "attest", "publish"]);

  const dist = await Deno.makeTempDir();
  const bash = async (script: string, env: Record<string, string> = {}) =>
    await new Deno.Command("bash", { args: ["-e", "-c", script], cwd: dist, env }).output();
  try {
    await bash("echo 1 > agent; echo 2 > server; sha256sum * > SHA256SUMS");
    const hash = new TextDecoder().decode((await bash("sha256sum SHA256SUMS | cut -d ' ' -f 1")).stdout);
    const holds = async () => (await bash(SAME_FILES, { CHECKSUMS: hash.trim() })).success;
    assert.equal(await holds(), true);
    await bash("echo 3 > more");
    assert.equal(await holds(), false, "a file was added");
    await bash("rm more; echo 3 > agent");
    assert.equal(await holds(), false, "a file was replaced");
    await bash("sha256sum agent server > SHA256SUMS");
    assert.equal(await holds(), false, "the checksums were replaced too");
  } finally {
    await Deno.remove(dist, { recursive: true });
  }
});

Deno.test("a release needs a tag on main", () => {
  const { steps } = workflows.get(".github/workflows/release.yml")!.jobs["executables"]!;
  assert.ok(steps[0]?.uses?.startsWith("actions/checkout@"));
  assert.equal(steps[0]?.with?.["fetch-depth"], 0, "with the history of main");
  assert.equal(steps[1]?.run, 'git merge-base --is-ancestor "$GITHUB_SHA" origin/main');
});

Deno.test("no workflow keeps credentials in its checkout, has secrets, or runs code of strangers with permissions", () => {
  for (const { path, workflow, job } of jobs) {
    assert.ok(!("pull_request_target" in workflow.on) && !("workflow_run" in workflow.on), path);
    for (const { uses, with: inputs } of job.steps) {
      if (uses?.startsWith("actions/checkout@")) assert.equal(inputs?.["persist-credentials"], false, path);
    }
  }
  for (const path of files) assert.ok(!/\bsecrets\s*[.[]/.test(read(path)), path);
});

Deno.test("a release signs the provenance and the bill of materials of executables and images", () => {
  const { steps } = workflows.get(".github/workflows/release.yml")!.jobs["attest"]!;
  const signed = steps.filter(({ uses }) => uses?.startsWith("actions/attest@")).map((
    { with: inputs = {} },
  ) =>
    `${inputs["subject-path"] ?? String(inputs["subject-name"]).split("-").at(-1)}: ${
      inputs["sbom-path"] ?? "provenance"
    }`
  );
  assert.deepEqual(signed.sort(), [
    "agent: dist/agent.cdx.json",
    "agent: provenance",
    "dist/*: provenance",
    "dist/agent-*: dist/agent.cdx.json",
    "dist/server-*: dist/server.cdx.json",
    "server: dist/server.cdx.json",
    "server: provenance",
  ]);
});

Deno.test("CI and releases run the Deno that package-lock.json pins, with a frozen deno.lock", () => {
  assert.equal(JSON.parse(read("deno.json")).lock.frozen, true);
  for (const path of [...files, ".ci/run", "Dockerfile", "deno.json"]) {
    const text = read(path).replaceAll(/^\s*#.*$/gm, "");
    assert.ok(!/\bnpx\b/.test(text), `${path}: npx does not check what it downloads`);
    assert.ok(!/--frozen=false|--no-lock\b|--lock\b|DENO_NO_LOCK/.test(text), `${path}: the lock is frozen`);
    for (const [line] of text.matchAll(/\bnpm .*/g)) {
      assert.match(line, /^npm ci --prefix \.ci\/deno --ignore-scripts /, path);
    }
    if (path === "deno.json") continue;
    // .ci/run names curl as a program that tests need.
    const downloads = /\b(curl|wget|pip3?) |\bapt(-get)? .*(https?:|\.deb)/.exec(
      text.replace("for program in curl", ""),
    );
    assert.equal(downloads?.[0], undefined, `${path}: nothing is downloaded unchecked`);
  }
  const { packages } = JSON.parse(read(".ci/deno/package-lock.json"));
  for (const [name, entry] of Object.entries<{ integrity?: string }>(packages)) {
    if (name !== "") assert.match(entry.integrity ?? "", /^sha512-/, name);
  }
});

Deno.test("a dependency that is not in deno.lock is refused", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const { version, specifiers, npm } = JSON.parse(read("deno.lock"));
    const { imports: { zod: pin }, lock } = JSON.parse(read("deno.json"));
    const key = pin.replace("npm:", "");
    await Deno.writeTextFile(`${dir}/deno.json`, JSON.stringify({ lock, imports: { zod: pin } }));
    await Deno.writeTextFile(`${dir}/main.ts`, 'import "zod";\n');
    const locked = {
      version,
      specifiers: { [pin]: specifiers[pin] },
      npm: { [key]: npm[key] },
      workspace: { dependencies: [pin] },
    };
    const run = async (lockFile: object) => {
      await Deno.writeTextFile(`${dir}/deno.lock`, JSON.stringify(lockFile));
      const options = { args: ["run", "main.ts"], cwd: dir, env: { NO_COLOR: "1" } };
      const { success, stderr } = await new Deno.Command(Deno.execPath(), options).output();
      return { success, output: new TextDecoder().decode(stderr) };
    };
    const complete = await run(locked);
    assert.ok(complete.success, complete.output);
    const { success, output } = await run({ version });
    assert.ok(!success);
    assert.match(output, /lockfile is out of date/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("the same version of Deno is named everywhere", () => {
  const { deno } = Deno.version;
  const { imports } = JSON.parse(read("deno.json"));
  const named = {
    ".ci/deno/package.json": JSON.parse(read(".ci/deno/package.json")).dependencies.deno,
    "the layer for arm64": imports["@deno/linux-arm64-glibc"].split("@").at(-1),
    "the layer for x86_64": imports["@deno/linux-x64-glibc"].split("@").at(-1),
    Dockerfile: /denoland\/deno:([\d.]+)@/.exec(read("Dockerfile"))?.[1],
  };
  for (const [place, version] of Object.entries(named)) assert.equal(version, deno, place);
  const folders = ["agent", "docs", "lambdas", "scripts", "server", "shared", "tests"];
  const texts = [
    "README.md",
    "CONTRIBUTING.md",
    ...folders.flatMap((folder) => filesUnder(folder, /\.(md|ts)$/)),
  ];
  const naming = texts.filter((path) => {
    const versions = [...read(path).matchAll(/\bdeno@(\d[\d.]*)/g)];
    for (const [, version] of versions) assert.equal(version, deno, path);
    return versions.length > 0;
  });
  for (const path of ["README.md", "CONTRIBUTING.md", "shared/cli/command_line.ts"]) {
    assert.ok(naming.includes(path), `${path} shows how to run a task`);
  }
});

Deno.test("every image that a build uses is pinned by digest, and Dependabot sees it", () => {
  const watched = [...read(".github/images/Dockerfile").matchAll(/^FROM (\S+)$/gm)].map(([, image]) =>
    image!
  );
  const used = [
    ...[...read("Dockerfile").matchAll(/^ARG \w+_IMAGE=(\S+)$/gm)].map(([, image]) => image!),
    ...[...read(".github/workflows/release.yml").matchAll(/(?:image=|SBOM_SCANNER: )(\S+)/g)].map((
      [, image],
    ) => image!),
  ];
  for (const image of used) assert.match(image, DIGEST);
  assert.deepEqual([...used].sort(), [...watched].sort());
  const { steps } = workflows.get(".github/workflows/release.yml")!.jobs["image"]!;
  for (const { uses = "", with: inputs = {} } of steps) {
    if (uses.startsWith("docker/setup-buildx")) assert.match(String(inputs["driver-opts"]), DIGEST);
    if (uses.startsWith("docker/build-push")) {
      assert.equal(inputs["sbom"], "generator=${{ env.SBOM_SCANNER }}");
    }
  }
});

Deno.test("every Python package is pinned by version and hash", () => {
  const requirements = read("tests/cloud/requirements.txt").replaceAll(/^#.*\n/gm, "").replaceAll(
    /\s*\\\n\s*/g,
    " ",
  );
  const lines = requirements.trim().split("\n");
  assert.ok(lines.length > 50, `${lines.length} packages`);
  for (const line of lines) assert.match(line, /^[\w.-]+==\S+( ; [^-]+)?( --hash=sha256:[0-9a-f]{64})+$/);
  assert.match(
    read("tests/support/cloud/python_env.ts"),
    /"--require-hashes",\s+"--no-deps",\s+"--only-binary=:all:"/,
  );
});
