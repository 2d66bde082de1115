/** Purpose: every link, anchor and path in the documents leads somewhere, and every page can be found. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { parse } from "yaml";
import { fileExists } from "../../shared/config/config_file.ts";
import { PROGRAM_KEYS } from "../../shared/config/program_keys.ts";
import { filesUnder, read } from "../../tests/support/workflows.ts";
import { anchorsOf, linksOf, pathsOf } from "./markdown.ts";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = [".github", "agent", "docs", "lambdas", "scripts", "server", "shared", "tests"];
/** The longest README that a newcomer reads to its end. */
const MAX_README_LINES = 250;

const documents: readonly string[] = [
  ...[...Deno.readDirSync(ROOT)].filter(({ name }) => name.endsWith(".md")).map(({ name }) => name),
  ...FOLDERS.flatMap((folder) => filesUnder(folder, /\.md$/)),
].sort();

/** The product's code. */
const sourceText = ["agent", "lambdas", "server", "shared", "scripts/deploy"]
  .flatMap((folder) => filesUnder(folder, /(?<!_test)\.ts$/)).map(read).join("\n");
/** Every word of it. */
const sourceWords: ReadonlySet<string> = new Set(sourceText.match(/\w+/g));

const exists = (path: string) => fileExists(new URL(path, ROOT));

/** What is wrong with a link of a document; `undefined` where it leads somewhere. */
async function problemOf(document: string, link: string): Promise<string | undefined> {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? document : join(dirname(document), file);
  if (!await exists(target)) return `there is no ${target}`;
  if (anchor === undefined) return undefined;
  return anchorsOf(read(target)).has(anchor) ? undefined : `${target} has no heading #${anchor}`;
}

/** The text below a heading of a document, up to the next one of its level. */
function partOf(document: string, heading: string): string {
  const [, part] = read(document).split(`\n${heading}\n`);
  assert.ok(part !== undefined, `${document} has ${heading}`);
  return part.split(new RegExp(`^#{1,${heading.indexOf(" ")}} `, "m"))[0]!;
}

Deno.test("every link in the documents leads to a file, and to a heading in it", async () => {
  let count = 0;
  const problems: string[] = [];
  for (const document of documents) {
    for (const link of linksOf(read(document))) {
      if (/^(https?|mailto):/.test(link)) continue;
      count++;
      const problem = await problemOf(document, link);
      if (problem !== undefined) problems.push(`${document}: ${link}: ${problem}`);
    }
  }
  assert.deepEqual(problems, []);
  assert.ok(count > 50, `${count} links`);
});

Deno.test("every path in code marks in the documents is a file or folder of the project", async () => {
  let count = 0;
  const missing: string[] = [];
  for (const document of documents) {
    for (const path of pathsOf(read(document))) {
      count++;
      if (!await exists(path)) missing.push(`${document}: ${path}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(count > 50, `${count} paths`);
});

Deno.test("the folder map has every folder of the product, the scripts and the tests", () => {
  const map = partOf("docs/development.md", "## Folder map");
  const folders = ["agent", "lambdas", "scripts", "server", "shared", "tests"].flatMap((part) =>
    [...Deno.readDirSync(new URL(part, ROOT))].filter(({ isDirectory }) => isDirectory).map(({ name }) =>
      `${part}/${name}`
    )
  );
  assert.deepEqual(folders.filter((folder) => !new RegExp(`\\| \`${folder}[\`/]`).test(map)), []);
});

Deno.test("the path of a byte names classes and functions that the code has", () => {
  const way = partOf("docs/architecture.md", "### One byte, step by step");
  const names = [...way.matchAll(/`(#?[A-Za-z]\w*(?:\.#?\w+)*)`/g)].flatMap(([, name]) => name!.split("."))
    .map((name) => name.replace("#", ""));
  assert.deepEqual(names.filter((name) => !sourceWords.has(name)), []);
  assert.ok(names.length > 50, `${names.length} names`);
});

Deno.test("the JSON examples of health, status and audit have keys that the code has", () => {
  const blocks = [...read("docs/operations.md").matchAll(/^```(?:json|text)\n([^]*?)^```$/gm)];
  const keys = blocks.flatMap(([, block]) => [...block!.matchAll(/"(\w+)":/g)].map(([, key]) => key!));
  assert.deepEqual(keys.filter((key) => !sourceWords.has(key)), []);
  assert.ok(keys.length > 20, `${keys.length} keys`);
});

Deno.test("messages that the documents quote are in the code", () => {
  const tables = [
    partOf("docs/deployment.md", "### Problems on AWS"),
    read("docs/corporate-proxy.md"),
    partOf("docs/troubleshooting.md", "### tunnel_down"),
  ];
  const cells = tables.flatMap((text) => [...text.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell]) => cell!));
  // What a message has at a "…", in parentheses and after "Cannot" differs from case to case.
  const fragments = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted]) => quoted!))
    .flatMap((quoted) => quoted.split(/…|[();:]/)).map((fragment) => fragment.trim())
    .filter((fragment) => fragment.length >= 10 && !fragment.startsWith("Cannot"));
  const text = sourceText.replaceAll(/["'`]\s*\+\s*["'`]|\$\{[^}]*\}/g, "");
  assert.deepEqual(fragments.filter((fragment) => !text.includes(fragment)), []);
  assert.ok(fragments.length > 10, `${fragments.length} fragments`);
});

Deno.test("the README is short and leads to every page", () => {
  const readme = read("README.md");
  const lines = readme.split("\n").length - 1;
  assert.ok(lines <= MAX_README_LINES, `${lines} lines`);
  const linked = new Set(linksOf(readme).map((link) => link.split("#")[0]));
  const pages = documents.filter((path) => path.startsWith("docs/"));
  assert.ok(pages.length >= 12, `${pages.length} pages`);
  for (const path of [...pages, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]) {
    assert.ok(linked.has(path), `${path} is not in the README`);
  }
});

Deno.test("the README counts the cases of what Sallyport survives", () => {
  const table = partOf("docs/performance.md", "## What it survives").match(/^\|.*\|$/gm) ?? [];
  const [, cases] = read("README.md").match(/(\d+) cases, each a test/) ?? [];
  assert.equal(Number(cases), table.length - 2);
});

Deno.test("the form for bugs requires the output of agent doctor and the versions", () => {
  const { body } = parse(read(".github/ISSUE_TEMPLATE/bug.yml")) as { body: FormField[] };
  const required = body.filter(({ validations }) => validations?.required).map(({ id }) => id);
  assert.deepEqual(required, ["what", "doctor", "version"]);
});

Deno.test("the YAML examples in the documents have keys that a program reads", () => {
  const programs = Object.values(PROGRAM_KEYS) as readonly (readonly string[])[];
  let count = 0;
  for (const document of documents) {
    for (const [, indent, yaml] of read(document).matchAll(/^( *)```yaml\n([^]*?)^\1```$/gm)) {
      const keys = Object.keys(parse(yaml!.replaceAll(new RegExp(`^${indent}`, "gm"), "")));
      assert.ok(programs.some((known) => keys.every((key) => known.includes(key))), `${document}: ${keys}`);
      count++;
    }
  }
  assert.ok(count >= 5, `${count} examples`);
});

/** A field of a form for issues. */
interface FormField {
  readonly id?: string;
  readonly validations?: { readonly required?: boolean };
}
