/** Purpose: files and folders stay small, depend on each other one way, and export only what others use. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { circlesOf } from "./circles.ts";
import { EXCEPTIONS } from "./exceptions.ts";
import { isProduct, type Module, readModules, trackedFiles } from "./module_graph.ts";

const MAX_ENTRIES = 25;
const MAX_LINES = 300;
/** What the runtime of AWS Lambda calls, as lambdas/template.yaml names it. */
const HANDLERS = /^lambdas\/[^/]+\.ts handler$/;

const files = await trackedFiles();
const modules = readModules(files);
const product = [...modules.values()].filter(({ path }) => isProduct(path));

/** Fails with all problems at once. */
function assertNone(problems: readonly string[], advice: string): void {
  assert.ok(problems.length === 0, `${problems.join("\n")}\n${advice}`);
}

/** Whether all members of a circle are in one of the circles that are known. */
function isKnown(circle: readonly string[], known: readonly (readonly string[])[]): boolean {
  return known.some((members) => circle.every((member) => members.includes(member)));
}

Deno.test("no files of the product import each other in a circle", () => {
  const graph = new Map(product.map(({ path, imports }) => [path, new Set(imports.keys())]));
  const circles = circlesOf(graph).filter((circle) => !isKnown(circle, EXCEPTIONS.fileCircles));
  assertNone(
    circles.map((circle) => `Files import each other in a circle: ${circle.join(" → ")}`),
    "Move what both need into one of the files, or into a third that imports neither",
  );
});

Deno.test("no folders of the product import each other in a circle", () => {
  const graph = new Map<string, Set<string>>();
  const examples = new Map<string, string>();
  for (const { path, imports } of product) {
    for (const imported of imports.keys()) {
      const [from, to] = [dirname(path), dirname(imported)];
      if (from === to) continue;
      graph.set(from, (graph.get(from) ?? new Set()).add(to));
      examples.set(`${from} → ${to}`, `${path} imports ${imported}`);
    }
  }
  const circles = circlesOf(graph).filter((circle) => !isKnown(circle, EXCEPTIONS.folderCircles));
  const problems = circles.map((circle) => {
    const steps = circle.slice(1).map((to, at) => `  ${examples.get(`${circle[at]} → ${to}`)}`);
    return `Folders import each other in a circle: ${circle.join(" → ")}\n${steps.join("\n")}`;
  });
  assertNone(problems, "Move the file that points the wrong way, or what it imports");
});

Deno.test(`no folder has more than ${MAX_ENTRIES} entries`, () => {
  const entries = new Map<string, Set<string>>();
  for (const file of files) {
    for (let path = file; path !== "."; path = dirname(path)) {
      const folder = dirname(path);
      entries.set(folder, (entries.get(folder) ?? new Set()).add(path));
    }
  }
  const crowded = [...entries].filter(([folder, { size }]) =>
    size > MAX_ENTRIES && !EXCEPTIONS.crowdedFolders.includes(folder)
  );
  assertNone(
    crowded.map(([folder, { size }]) =>
      `Folder has ${size} entries, at most ${MAX_ENTRIES} are allowed: ${folder}`
    ),
    "Merge small files that are used together, or make subfolders by purpose",
  );
});

Deno.test(`no file of the product has more than ${MAX_LINES} lines`, () => {
  const long = product.filter(({ path, lines }) => lines > MAX_LINES && !EXCEPTIONS.longFiles.includes(path));
  assertNone(
    long.map(({ path, lines }) => `File has ${lines} lines, at most ${MAX_LINES} are allowed: ${path}`),
    "Split the file by what is used together",
  );
});

Deno.test("no file exports what no other file imports", () => {
  const problems = unusedExports([...modules.values()]).filter((each) =>
    !HANDLERS.test(each) && !EXCEPTIONS.unusedExports.includes(each)
  );
  assertNone(
    problems.map((each) => `No other file imports this export: ${each}`),
    "Remove it, or the word export where only its own file uses it",
  );
});

/** Exports as "path name". A type stays exported while an exported signature of its file names it. */
function unusedExports(all: readonly Module[]): string[] {
  const used = new Map<string, Set<string>>();
  for (const { imports } of all) {
    for (const [path, names] of imports) used.set(path, new Set([...used.get(path) ?? [], ...names]));
  }
  return all.flatMap(({ path, exports }) => {
    const names = used.get(path) ?? new Set();
    return exports.filter(({ name, isInSignature }) => !isInSignature && !names.has("*") && !names.has(name))
      .map(({ name }) => `${path} ${name}`);
  });
}
