/**
 * Lint plugin: which parts of the project may import which, and which APIs only some folders may use. Every message
 * gives the reason. The file imports nothing, since Deno's linter cannot load plugins that do.
 */

const ROOT = new URL("../", import.meta.url).pathname;

/** Parts of the project and the other parts that they may import. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  agent: ["shared", "docs"],
  server: ["shared"],
  lambdas: ["shared"],
  scripts: ["shared"],
};
const PARTS_REASON =
  "agent, server and lambdas share code only through shared/, which depends on none of them";

/** Folders and files that must run in any runtime, and everything they may import. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  "shared/errors.ts": [],
  "shared/clock.ts": [],
  "shared/protocol/": ["shared/protocol/", "shared/errors.ts"],
  "shared/mux/": ["shared/mux/", "shared/protocol/", "shared/errors.ts", "shared/clock.ts"],
};
const PURE_REASON = "the protocol core runs in memory in tests and must work in any runtime";
const RUNTIME_NAMES = new Set([
  "Deno",
  "process",
  "globalThis",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "Date",
  "performance",
  "fetch",
]);

/** The files that connect the folders of their part. */
const WIRING = ["agent/agent.ts", "server/server.ts"];
/** Folders of agent and server, and the other folders that they may import; one that is not listed may import none. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  "agent/cli/": ["agent/certs/", "agent/doctor/", "agent/shell/"],
  "agent/cloud/": ["agent/config/", "agent/upstream/"],
  "agent/config/": ["agent/upstream/"],
  "agent/console/": ["agent/config/", "agent/pages/", "agent/upstream/"],
  "agent/doctor/": ["agent/config/", "agent/upstream/"],
  "agent/front_door/": ["agent/pages/"],
  "agent/routes/": ["agent/front_door/"],
  "server/aws/": ["server/config/"],
  "server/clients/": ["server/targets/"],
  "server/config/": ["server/health/"],
  "server/health/": ["server/metrics/"],
};
const FOLDER_REASON = "only agent.ts and server.ts connect folders: take it as a parameter, like openStream";

const AWS_FOLDERS = ["shared/aws/", "lambdas/aws/", "server/aws/", "scripts/deploy/"];

/** Folders that may import `node:tls`: shared/pki/ reads peers and keys, agent/upstream/ connects to proxies. */
const TLS_FOLDERS = ["shared/tls/", "shared/pki/", "agent/upstream/"];
const TLS_REASON =
  "use shared/tls/, since tickets of any other TLS server of the process would resume sessions at the " +
  "server's port, and Deno's own TLS trusts public CAs";

/** A file of the project. */
class SourceFile {
  /** `agent`, `shared` and so on; "" for a file in the project's root. */
  readonly part: string;
  /** Such as `agent/front_door/`; `undefined` for a file directly in its part. */
  readonly folder: string | undefined;

  /** @param path Relative to the project's root, with slashes. */
  constructor(readonly path: string) {
    const folders = path.split("/").slice(0, -1);
    this.part = folders[0] ?? "";
    this.folder = folders.length > 1 ? `${folders[0]}/${folders[1]}/` : undefined;
  }

  /** Tests and scripts may import anything; scripts/deploy/ counts as product code. */
  get isExempt(): boolean {
    if (this.path.endsWith("_test.ts") || this.part === "tests") return true;
    return this.part === "scripts" && this.folder !== "scripts/deploy/";
  }

  /** The folder of {@linkcode PURE} that the file is in, or the file itself. */
  get pure(): string | undefined {
    return Object.keys(PURE).find((folder) => this.path.startsWith(folder));
  }

  get isMain(): boolean {
    return /^([^/]+|lambdas\/runtime)\/main\.ts$/.test(this.path);
  }
}

/** Returns the path relative to the project's root; `undefined` for a file outside. */
function projectPath(path: string): string | undefined {
  const slashed = path.replaceAll("\\", "/");
  const root = decodeURIComponent(ROOT);
  const at = slashed.startsWith("/") ? slashed : `/${slashed}`;
  return at.startsWith(root) ? at.slice(root.length) : undefined;
}

/** Resolves a relative import to a path relative to the project's root; `undefined` for a library. */
function importedPath(from: SourceFile, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  return new URL(specifier, `file:///${from.path}`).pathname.slice(1);
}

function isWithin(path: string, places: readonly string[]): boolean {
  return places.some((place) => place.endsWith("/") ? path.startsWith(place) : path === place);
}

/** Returns why `file` may not import `specifier`; `undefined` when it may. */
function importError(file: SourceFile, specifier: string): string | undefined {
  if (/^(npm|jsr|https?):/.test(specifier)) {
    return `Cannot import "${specifier}" by URL: add it to the imports of deno.json, with its version`;
  }
  if (file.isExempt) return undefined;
  if (/^@aws-sdk\//.test(specifier) && !isWithin(file.path, AWS_FOLDERS)) {
    return `Cannot import "${specifier}" here: AWS clients belong in ${AWS_FOLDERS.join(", ")}, so that ` +
      "everything else runs and is tested without AWS";
  }
  const path = importedPath(file, specifier);
  return pureError(file, path, specifier) ?? tlsError(file, specifier) ?? sessionError(file, path) ??
    (path === undefined ? undefined : layerError(file, path));
}

function tlsError(file: SourceFile, specifier: string): string | undefined {
  if (!/^(node:)?(tls|https|http2)$/.test(specifier) || isWithin(file.path, TLS_FOLDERS)) return undefined;
  return `Cannot import "${specifier}" here: ${TLS_REASON}`;
}

function sessionError(file: SourceFile, path: string | undefined): string | undefined {
  if (!file.path.startsWith("shared/egress/") || !path?.startsWith("shared/mux/session/")) return undefined;
  return `Cannot import ${path} in shared/egress/: egress handles one stream and must not ` +
    "depend on sessions";
}

function pureError(file: SourceFile, path: string | undefined, specifier: string): string | undefined {
  const { pure } = file;
  if (pure === undefined || (path !== undefined && isWithin(path, PURE[pure]!))) return undefined;
  const allowed = PURE[pure]!.length > 0 ? `only ${PURE[pure]!.join(", ")}` : "nothing";
  return `Cannot import "${specifier}" in ${pure}: it may import ${allowed}, since ${PURE_REASON}`;
}

function layerError(file: SourceFile, path: string): string | undefined {
  const target = new SourceFile(path);
  if (/(^|\/)main\.ts$/.test(path)) {
    return `Cannot import ${path}: loading a main.ts starts a program`;
  }
  if (path.endsWith("_test.ts")) return `Cannot import ${path}: product code must not depend on tests`;
  if (target.part === file.part) return folderError(file, target);
  if (PARTS[file.part]?.includes(target.part)) return undefined;
  if (PARTS[file.part] === undefined && target.part === "") return undefined;
  return `Cannot import ${path} in ${file.part || "the project root"}: ${PARTS_REASON}`;
}

/** Checks an import within one part. The folders of shared/ are libraries and need no such rule. */
function folderError(file: SourceFile, target: SourceFile): string | undefined {
  if (file.part !== "agent" && file.part !== "server") return undefined;
  if (isWithin(target.path, WIRING) && !file.isMain) {
    return `Cannot import ${target.path} in ${file.path}: ${FOLDER_REASON}`;
  }
  if (file.folder === undefined || target.folder === undefined || file.folder === target.folder) {
    return undefined;
  }
  if (FOLDERS[file.folder]?.includes(target.folder)) return undefined;
  return `Cannot import ${target.path} in ${file.folder}: ${FOLDER_REASON}`;
}

/** Returns the text of a literal or of a template without expressions. */
function literalText(node: Deno.lint.Expression | null): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0) return node.quasis[0]?.cooked;
  return undefined;
}

/** Returns both names of `owner.name` or `owner["name"]`. */
function memberOf(node: Deno.lint.MemberExpression): { owner: string; name: string | undefined } {
  const owner = node.object.type === "Identifier" ? node.object.name : "";
  const name = node.property.type === "Identifier" && !node.computed
    ? node.property.name
    : literalText(node.property as Deno.lint.Expression);
  return { owner, name };
}

type ImportNode =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ExportNamedDeclaration
  | Deno.lint.ExportAllDeclaration
  | Deno.lint.ImportExpression;

function imports(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = projectPath(context.filename);
  if (path === undefined) return {};
  const file = new SourceFile(path);
  const check = (node: ImportNode) => {
    if (node.source === null) return;
    const specifier = literalText(node.source);
    const error = specifier !== undefined
      ? importError(file, specifier)
      : file.isExempt
      ? undefined
      : "Cannot import a computed path: the import rules need a literal";
    if (error !== undefined) context.report({ node, message: error });
  };
  return {
    ImportDeclaration: check,
    ExportNamedDeclaration: check,
    ExportAllDeclaration: check,
    ImportExpression: check,
  };
}

/** Whether an identifier is only the name of a property, a member or a part of a type. */
function isOnlyName(node: Deno.lint.Identifier): boolean {
  const parent = node.parent;
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === node && !parent.computed;
    case "Property":
      return parent.key === node && parent.value !== node && !parent.computed;
    case "PropertyDefinition":
    case "MethodDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return parent.key === node && !parent.computed;
    case "TSQualifiedName":
      return parent.right === node;
    default:
      return false;
  }
}

function runtime(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = projectPath(context.filename);
  const file = path === undefined ? undefined : new SourceFile(path);
  if (file?.pure === undefined || file.isExempt) return {};
  return {
    Identifier(node) {
      if (!RUNTIME_NAMES.has(node.name) || isOnlyName(node)) return;
      const message =
        `Cannot use ${node.name} in ${file.pure}: take a Clock or a Transport as a parameter, since ${PURE_REASON}`;
      context.report({ node, message });
    },
  };
}

const EXIT_REASON = "only a main.ts may end the process: throw an error, or set Deno.exitCode in a script";

function exit(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = projectPath(context.filename);
  if (path === undefined || new SourceFile(path).isMain) return {};
  return {
    MemberExpression(node) {
      const { owner, name } = memberOf(node);
      if (name !== "exit" || (owner !== "Deno" && owner !== "process")) return;
      context.report({ node, message: `Cannot use ${owner}.exit here: ${EXIT_REASON}` });
    },
    VariableDeclarator(node) {
      if (node.init?.type !== "Identifier" || node.init.name !== "Deno" || node.id.type !== "ObjectPattern") {
        return;
      }
      for (const each of node.id.properties) {
        if (each.type !== "Property" || each.key.type !== "Identifier" || each.key.name !== "exit") continue;
        context.report({ node, message: `Cannot destructure exit from Deno: ${EXIT_REASON}` });
      }
    },
  };
}

function tls(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = projectPath(context.filename);
  if (path === undefined || new SourceFile(path).isExempt) return {};
  return {
    MemberExpression(node) {
      const { owner, name } = memberOf(node);
      if (owner !== "Deno" || !/^(listenTls|connectTls|startTls)$/.test(name ?? "")) return;
      context.report({ node, message: `Cannot use Deno.${name} here: ${TLS_REASON}` });
    },
  };
}

const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    imports: { create: imports },
    runtime: { create: runtime },
    exit: { create: exit },
    tls: { create: tls },
  },
};

export default plugin;
