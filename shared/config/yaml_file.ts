import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLError } from "yaml";
import type { Path } from "./shape.ts";

/** What is wrong with a file, and in which line. */
export interface YamlProblem {
  readonly line: number;
  readonly message: string;
}

/** A YAML file that was read: its values, and where in the text each of them is. */
export interface YamlFile {
  /** The values; `{}` for an empty file. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Why the file cannot be used at all; `values` is empty then. */
  readonly problems: readonly YamlProblem[];
  /** Line (from 1) in which the key or list entry at `path` begins, or the last one above it that exists. */
  lineOf(path: Path): number;
}

/** Reads YAML 1.2 text that has to hold one mapping. */
export function parseYamlFile(text: string): YamlFile {
  const lines = new LineCounter();
  const lineAt = (offset: number) => Math.max(lines.linePos(offset).line, 1);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const problems = firstOfEachLine(
    [...document.errors, ...document.warnings]
      .map((error) => ({ line: lineAt(error.pos[0]), message: explain(error, text) })),
  );
  const lineOf = (path: Path) => lineAt(offsetOf(document.contents, document, path));
  if (problems.length > 0) return { values: {}, problems, lineOf };

  try {
    const values: unknown = document.toJS() ?? {};
    if (typeof values === "object" && !Array.isArray(values)) {
      return { values: values as Record<string, unknown>, problems, lineOf };
    }
    const message = "Cannot use file: expected keys with values at the top";
    return { values: {}, problems: [{ line: lineOf([]), message }], lineOf };
  } catch (error) {
    // What the parser lets pass and only the conversion finds, such as aliases that multiply.
    const message = `Cannot parse YAML: ${error instanceof Error ? error.message : error}`;
    return { values: {}, problems: [{ line: 1, message }], lineOf };
  }
}

function explain({ code, message, pos: [at] }: YAMLError, text: string): string {
  if (code === "DUPLICATE_KEY") {
    return `Cannot use ${/^[^\s:]*/.exec(text.slice(at))}: expected each key once`;
  }
  return `Cannot parse YAML: ${message}`;
}

/** One slip often makes several errors: the first of a line tells what is wrong. */
function firstOfEachLine(problems: readonly YamlProblem[]): YamlProblem[] {
  return problems.filter(({ line }, at) => problems.findIndex((other) => other.line === line) === at);
}

function offsetOf(root: Node | null, document: ReturnType<typeof parseDocument>, path: Path): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    }
  }
  return offset;
}
