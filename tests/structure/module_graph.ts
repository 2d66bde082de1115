import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** A TypeScript file of the project: its size, what it imports from the project and what it exports. */
export interface Module {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly lines: number;
  /** Imported names by the path of the file that they come from; `*` stands for all of them. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
  readonly exports: readonly Export[];
}

/** A name that a file exports. */
export interface Export {
  readonly name: string;
  /** Whether another exported declaration of the file names it, such as the options of a function. */
  readonly isInSignature: boolean;
}

/** Whether a file belongs to the product or its scripts, and not to the tests. */
export function isProduct(path: string): boolean {
  return !path.endsWith("_test.ts") && !path.startsWith("tests/");
}

/** Paths of all files that Git tracks, or would track once they are added. */
export async function trackedFiles(): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot list the project's files: ${decoder.decode(stderr).trim()}`);
  const paths = decoder.decode(stdout).split("\0").filter((path) => path !== "");
  return [...new Set(paths)].filter((path) => {
    try {
      return Deno.lstatSync(new URL(path, ROOT)).isFile;
    } catch {
      return false; // removed, but not yet from the index
    }
  });
}

/** Reads all TypeScript files among `paths`. Only `deno test` can do this: the parser is that of the linter. */
export function readModules(paths: readonly string[]): Map<string, Module> {
  const modules = paths.filter((path) => path.endsWith(".ts")).map((path) =>
    parseModule(path, Deno.readTextFileSync(new URL(path, ROOT)))
  );
  return new Map(modules.map((module) => [module.path, module]));
}

/** Parses one file; see {@linkcode readModules}. */
export function parseModule(path: string, code: string): Module {
  const imports = new Map<string, Set<string>>();
  const declared: Declared[] = [];
  const importFrom = (source: Deno.lint.Node | null, names: readonly string[]) => {
    if (source?.type !== "Literal" || typeof source.value !== "string" || !source.value.startsWith(".")) {
      return;
    }
    const from = new URL(source.value, `file:///${path}`).pathname.slice(1);
    imports.set(from, new Set([...imports.get(from) ?? [], ...names]));
  };
  const plugin: Deno.lint.Plugin = {
    name: "modules",
    rules: {
      graph: {
        create: () => ({
          ImportDeclaration: (node) => importFrom(node.source, node.specifiers.map(importedName)),
          ImportExpression: (node) => importFrom(node.source, ["*"]),
          ExportAllDeclaration: (node) => importFrom(node.source, ["*"]),
          ExportDefaultDeclaration: () =>
            void declared.push({ name: "default", isType: false, signature: "" }),
          ExportNamedDeclaration(node) {
            importFrom(node.source, node.specifiers.map(({ local }) => nameOf(local)));
            for (const { exported } of node.specifiers) {
              declared.push({ name: nameOf(exported), isType: false, signature: "" });
            }
            if (node.declaration === null) return;
            const signature = signatureOf(node.declaration, code);
            const isType = /^(Class|TS)/.test(node.declaration.type);
            for (const name of declaredNames(node.declaration)) declared.push({ name, isType, signature });
          },
        }),
      },
    },
  };
  Deno.lint.runPlugin(plugin, fileURLToPath(new URL(path, ROOT)), code);
  const exports = declared.map(({ name, isType }) => {
    const mention = new RegExp(`${isType ? "" : "typeof "}\\b${RegExp.escape(name)}\\b`);
    const isInSignature = declared.some((other) => other.name !== name && mention.test(other.signature));
    return { name, isInSignature };
  });
  return { path, lines: code.split("\n").length - 1, imports, exports };
}

interface Declared {
  name: string;
  /** A class, an interface and the like: what signatures name. */
  isType: boolean;
  signature: string;
}

function importedName(node: Deno.lint.ImportDeclaration["specifiers"][number]): string {
  if (node.type === "ImportSpecifier") return nameOf(node.imported);
  return node.type === "ImportDefaultSpecifier" ? "default" : "*";
}

function nameOf(node: Deno.lint.Node): string {
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" ? String(node.value) : "";
}

function declaredNames(node: Deno.lint.Node): string[] {
  if (node.type === "VariableDeclaration") return node.declarations.flatMap(({ id }) => boundNames(id));
  return "id" in node && node.id !== null ? [nameOf(node.id as Deno.lint.Node)] : [];
}

function boundNames(id: Deno.lint.Node): string[] {
  if (id.type === "ArrayPattern") return id.elements.flatMap((each) => each === null ? [] : boundNames(each));
  if (id.type !== "ObjectPattern") return [nameOf(id)];
  return id.properties.flatMap((each) => each.type === "Property" ? boundNames(each.value) : []);
}

/** The text of a declaration; of a function without its body, and of a class without its private members. */
function signatureOf(node: Deno.lint.Node, code: string): string {
  const [start, end] = node.range;
  if (node.type === "FunctionDeclaration") return code.slice(start, node.body?.range[0] ?? end);
  if (node.type !== "ClassDeclaration") return code.slice(start, end);
  const members = node.body.body.map((member) => {
    if ("key" in member && member.key?.type === "PrivateIdentifier") return "";
    const body = "value" in member && member.value?.type === "FunctionExpression" ? member.value.body : null;
    return code.slice(member.range[0], body?.range[0] ?? member.range[1]);
  });
  return [code.slice(start, node.body.range[0]), ...members].join("\n");
}
