/** Purpose: workflows use tasks, flags and files that exist; checked without GitHub. */
import assert from "node:assert/strict";
import { childEnvironment } from "./process/child_environment.ts";
import { fileName, PROGRAMS, type Target, TARGETS } from "./compile/targets.ts";
import { type Job, jobs, read, type Step } from "../tests/support/workflows.ts";

const ROOT = new URL("../", import.meta.url);
const dockerfile = read("Dockerfile");

const steps: readonly { at: string; job: Job; step: Step }[] = jobs.flatMap(({ path, name, job }) =>
  job.steps.map((step) => ({ at: `${path}: ${name}`, job, step }))
);
/** Shell lines of workflows and of .ci/run, with their origin. */
const lines = [
  ...steps.flatMap(({ at, step }) => (step.run ?? "").split("\n").map((line) => ({ at, line }))),
  ...read(".ci/run").split("\n").map((line) => ({ at: ".ci/run", line })),
].filter(({ line }) => line.trim() !== "" && !line.trimStart().startsWith("#"));

/** Runs `deno task` with the words of a line and `--help`. */
async function help(words: readonly string[]) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...words, "--help"],
    cwd: ROOT,
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, out: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

/** Returns what is wrong with a call of a task; undefined when it is right. */
async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const { success, out, errors } = await help(words);
  if (!success) return errors;
  const flags = words.filter((word) => word.startsWith("-")).map((word) => word.split("=")[0]!);
  const unknown = flags.filter((flag) => !new RegExp(`^ .*${flag}(?![\\w-])`, "m").test(out));
  return unknown.length > 0 ? `${unknown.join()} is not in the help of ${words[0]}` : undefined;
}

Deno.test("every task that a workflow runs exists and takes these flags and values", async () => {
  const tasks = new Map<string, string>();
  for (const { at, line } of lines) {
    for (const [, words] of line.matchAll(/\bdeno task (.+?)(?=$|[;&|])/g)) tasks.set(words!.trim(), at);
  }
  const names = [...tasks.keys()].map((words) => words.split(" ")[0]);
  for (const name of ["check", "compile", "soak", "test"]) assert.ok(names.includes(name), name);
  const { tasks: known } = JSON.parse(read("deno.json"));
  for (const [text, at] of tasks) {
    const words = text.split(/\s+/);
    assert.ok(words[0]! in known, `${at}: ${text}`);
    // It is not a program of the project and takes no arguments.
    if (text !== "check") assert.equal(await problemOf(words), undefined, `${at}: ${text}`);
  }
});

Deno.test("an unknown task, flag or value is detected", async () => {
  assert.match((await problemOf(["compil"]))!, /compil/);
  assert.match((await problemOf(["compile", "--targets", "all"]))!, /--targets is not in the help/);
  assert.match((await problemOf(["compile", "--target", "every"]))!, /'every' is invalid/);
  assert.equal(await problemOf(["compile", "--target", "all"]), undefined);
});

Deno.test("every file that a workflow names is in the repository, or is compiled", () => {
  const compiled = (Object.keys(TARGETS) as Target[]).flatMap((target) =>
    PROGRAMS.map((program) => fileName(program, target))
  );
  const made = [
    "SHA256SUMS",
    "*",
    ...PROGRAMS.flatMap((name) => [`${name}-*`, `${name}.cdx.json`]),
    ...compiled,
  ];
  let named = 0;
  for (const { at, step } of steps) {
    const texts = [step.run, ...Object.values(step.env ?? {}), ...Object.values(step.with ?? {})].map(String);
    for (const [path, name] of texts.flatMap((text) => [...text.matchAll(/\bdist\/([\w.*-]+)/g)])) {
      assert.ok(made.includes(name!), `${at}: ${path}`);
      named++;
    }
  }
  assert.ok(named >= 10, `${named} files`);
  for (const { at, line } of lines) {
    const [, words] = /\bdeno task test (.+)$/.exec(line) ?? [];
    const [script] = /(?<=^|\s)\.ci\/\w+/.exec(line) ?? [];
    for (const path of [...words?.split(" ") ?? [], ...script === undefined ? [] : [script]]) {
      assert.doesNotThrow(() => Deno.statSync(new URL(path, ROOT)), `${at}: ${path}`);
    }
  }
});

Deno.test("every stage and argument that an image build names is in the Dockerfile", () => {
  const stages = [...dockerfile.matchAll(/^FROM .* AS (\w+)$/gm)].map(([, name]) => name);
  const args = [...dockerfile.matchAll(/^ARG (\w+)/gm)].map(([, name]) => name);
  const built: unknown[] = [];
  for (const { at, step: { uses = "", run = "", with: inputs = {} } } of steps) {
    if (uses.startsWith("docker/build-push-action@")) built.push(inputs["target"]);
    const given = uses.startsWith("docker/build-push-action@")
      ? String(inputs["build-args"]).matchAll(/^(\w+)=/gm)
      : run.matchAll(/--build-arg (\w+)=/g);
    for (const [, name] of given) assert.ok(args.includes(name), `${at}: ${name}`);
  }
  assert.deepEqual(built.sort(), ["agent", "server"]);
  for (const name of built) assert.ok(stages.includes(name as string), `stage ${name}`);
});

Deno.test("tests that need root run as root, since in CI a skipped test is a failure", () => {
  const whole = steps.filter(({ step }) => /\.ci\/run|task test tests\b/.test(step.run ?? ""));
  assert.equal(whole.length, 2);
  for (const { at, step } of whole) assert.match(step.run!, /^sudo --preserve-env /, at);
});
