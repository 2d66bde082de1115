import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import type { Path } from "./shape.ts";

/** A position in a text; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A problem in a file, with its position. */
export interface YamlProblem extends Place {
  readonly message: string;
}

/** A parsed YAML file: its values, and the position of each. */
export interface YamlFile {
  /** The values; `{}` for an empty file. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Why the file cannot be used; `values` is empty then. */
  readonly problems: readonly YamlProblem[];
  /** The position of the key or list entry at `path`, or of its closest existing parent. */
  placeOf(path: Path): Place;
  /** Whether the file has the key at `path`. */
  has(path: Path): boolean;
}

/** Parses YAML 1.2 text, which must be one mapping. */
export function parseYamlFile(text: string): YamlFile {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const problems = firstOfEachLine(
    [...document.errors, ...document.warnings]
      .map((error) => ({ ...placeAt(error.pos[0]), message: explain(error, text, document, placeAt) })),
  );
  const placeOf = (path: Path) => placeAt(offsetOf(document.contents, document, path).offset);
  const has = (path: Path) => offsetOf(document.contents, document, path).isThere;
  if (problems.length > 0) return { values: {}, problems, placeOf, has };

  try {
    const values: unknown = document.toJS() ?? {};
    if (typeof values === "object" && !Array.isArray(values)) {
      return { values: values as Record<string, unknown>, problems, placeOf, has };
    }
    return { values: {}, problems: [{ ...placeOf([]), message: noMapping(values) }], placeOf, has };
  } catch (error) {
    // Errors that only the conversion finds, such as exponential aliases.
    const message = `Cannot parse YAML: ${error instanceof Error ? error.message : error}`;
    return { values: {}, problems: [{ line: 1, column: 1, message }], placeOf, has };
  }
}

function noMapping(values: unknown): string {
  const isList = Array.isArray(values);
  const advice = isList
    ? 'remove the "-" at the start of the lines'
    : /^\w+[:=]\S|^\w+\s/.test(String(values))
    ? "put a colon and a space between key and value"
    : "it is a single text";
  return `Cannot use the file: expected lines of "key: value", such as "log_level: info", current value is ${
    isList ? "a list" : "a text"
  }; ${advice}`;
}

/** Errors of the parser, and what to do about them. */
const ERROR_TEXTS: Readonly<Record<Exclude<YAMLError["code"], "DUPLICATE_KEY">, string>> = {
  TAB_AS_INDENT: "a tab is used for indentation; use spaces only",
  BAD_INDENT: "the indentation does not match the lines above; indent all keys of a group equally",
  BLOCK_AS_IMPLICIT_KEY:
    "there is a second colon, or a line that is indented too far; put quotes around a value that contains a colon",
  MULTILINE_IMPLICIT_KEY:
    "a key spans several lines; check for a missing colon after it, or an unclosed quote or bracket",
  MISSING_CHAR:
    'something is not closed or separated; check quotes, brackets, commas, and the space after ":"',
  UNEXPECTED_TOKEN: "a character is out of place; check quotes, brackets and commas",
  BAD_SCALAR_START: "a value cannot begin with this character; put the value in quotes",
  BAD_ALIAS: 'a value that begins with "*" refers to an anchor that does not exist; put it in quotes',
  ALIAS_PROPS: 'a value that begins with "*" has something before it; put it in quotes',
  BAD_DQ_ESCAPE: "a backslash in double quotes begins an unknown escape; use single quotes",
  BAD_COLLECTION_TYPE: "the tag does not match what follows it; remove it",
  BAD_DIRECTIVE: 'a line that begins with "%" is not a YAML directive; remove it',
  BAD_PROP_ORDER: "an anchor or a tag is in the wrong place; remove it",
  BLOCK_IN_FLOW: "a list or group on lines of its own is inside brackets; write it in brackets too",
  IMPOSSIBLE: "the text cannot be read here; check quotes, brackets and indentation",
  KEY_OVER_1024_CHARS: "a key has more than 1024 characters; check for an unclosed quote",
  MULTIPLE_ANCHORS: 'a value has two anchors ("&"); put it in quotes',
  MULTIPLE_DOCS: 'the file has several documents; remove the line "---" between them',
  MULTIPLE_TAGS: 'a value has two tags ("!"); put it in quotes',
  NON_STRING_KEY: "a key is not a text; put it in quotes",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  TAG_RESOLVE_FAILED: 'a value that begins with "!" is an unknown tag; put it in quotes',
};

function explain(
  { code, pos: [at] }: YAMLError,
  text: string,
  document: ReturnType<typeof parseDocument>,
  placeAt: (offset: number) => Place,
): string {
  if (code !== "DUPLICATE_KEY") return `Cannot parse YAML: ${ERROR_TEXTS[code]}`;
  const first = firstOfKey(document, at);
  const where = first === undefined ? "" : `, the first is on line ${placeAt(first).line}`;
  return `Cannot use ${/^[^\s:]*/.exec(text.slice(at))}: expected each key once${where}; remove one of them`;
}

/** The offset of the first occurrence of the key at `second`. */
function firstOfKey(document: ReturnType<typeof parseDocument>, second: number): number | undefined {
  let first: number | undefined;
  visit(document, {
    Map(_, { items }) {
      const keys = items.map(({ key }) => key).filter(isScalar);
      const again = keys.find(({ range }) => range?.[0] === second);
      if (again === undefined) return undefined;
      first = keys.find(({ value }) => value === again.value)?.range?.[0];
      return visit.BREAK;
    },
  });
  return first;
}

/** One mistake often causes several errors: the first one of a line is the useful one. */
function firstOfEachLine(problems: readonly YamlProblem[]): YamlProblem[] {
  return problems.filter(({ line }, at) => problems.findIndex((other) => other.line === line) === at);
}

function offsetOf(
  root: Node | null,
  document: ReturnType<typeof parseDocument>,
  path: Path,
): { offset: number; isThere: boolean } {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  let isThere = true;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (isScalar(pair?.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair?.value;
      isThere &&= pair !== undefined;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
      isThere &&= node !== undefined;
    } else isThere = false;
  }
  return { offset, isThere };
}
