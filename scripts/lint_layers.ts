/**
 * Lint plugin: which part may import which, and what only some places may use. Every error says why. The file
 * imports nothing, as Deno's linter wants it.
 */

const ROOT = new URL("../", import.meta.url).pathname;

/** Parts of the project and the parts that they may import besides themselves. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  agent: ["shared"],
  server: ["shared"],
  lambdas: ["shared"],
};
const PARTS_REASON =
  "agent and server (and lambdas) share code only through shared/, which depends on none of them";

/** Folders and files that have to run anywhere, and all that they may import. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  "shared/errors.ts": [],
  "shared/clock.ts": [],
  "shared/protocol/": ["shared/protocol/", "shared/errors.ts"],
  "shared/mux/": ["shared/mux/", "shared/protocol/", "shared/errors.ts", "shared/clock.ts"],
};
const PURE_REASON = "it is the core that tests run over memory and other runtimes can use";
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

/** The only files that may import from more than one room of their part, besides `certs` by the command line. */
const WIRING = ["agent/agent.ts", "server/server.ts"];
/** Rooms and the rooms beside them that they may import; a room that is not listed may import none. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "agent/cli/": ["agent/certs/", "agent/doctor/", "agent/shell/"],
};
const ROOM_REASON =
  "only agent.ts and server.ts wire rooms together: pass in what is needed, as openStream is";

const AWS_PLACES = ["shared/aws/", "lambdas/aws/", "server/aws/", "scripts/"];

/** The only folder that may speak TLS. */
const TLS_PLACE = "shared/tls/";
const TLS_REASON =
  "a ticket of any TLS server of the process resumes at the agents' port, and Deno's own TLS " +
  "believes public roots; shared/tls/ dials and listens";

/** A file of the project as the rules see it. */
class Place {
  /** `agent`, `shared` and so on; "" for a file at the top. */
  readonly part: string;
  /** `agent/front_door/`; `undefined` for a file directly in its part. */
  readonly room: string | undefined;

  /** @param path From the project's root, with slashes. */
  constructor(readonly path: string) {
    const folders = path.split("/").slice(0, -1);
    this.part = folders[0] ?? "";
    this.room = folders.length > 1 ? `${folders[0]}/${folders[1]}/` : undefined;
  }

  /** Tests and scripts may import anything. */
  get isExempt(): boolean {
    return this.part === "tests" || this.part === "scripts" || this.path.endsWith("_test.ts");
  }

  /** The pure folder that the file is in, or the file itself. */
  get pure(): string | undefined {
    return Object.keys(PURE).find((folder) => this.path.startsWith(folder));
  }

  get isMain(): boolean {
    return /^([^/]+|lambdas\/runtime)\/main\.ts$/.test(this.path);
  }
}

/** Returns the path of a file of the project, or `undefined` for one that lies outside. */
function projectPath(file: string): string | undefined {
  const slashed = file.replaceAll("\\", "/");
  const root = decodeURIComponent(ROOT);
  const at = slashed.startsWith("/") ? slashed : `/${slashed}`;
  return at.startsWith(root) ? at.slice(root.length) : undefined;
}

/** Resolves a relative import to a path from the project's root; `undefined` for a library. */
function importedPath(from: Place, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  return new URL(specifier, `file:///${from.path}`).pathname.slice(1);
}

function isWithin(path: string, places: readonly string[]): boolean {
  return places.some((place) => place.endsWith("/") ? path.startsWith(place) : path === place);
}

/** Says why `place` may not import `specifier`; `undefined` when it may. */
function importFault(place: Place, specifier: string): string | undefined {
  if (/^(npm|jsr|https?):/.test(specifier)) {
    return `Cannot import "${specifier}" by address: deno.json names every dependency once, with its version`;
  }
  if (place.isExempt) return undefined;
  if (/^@aws-sdk\//.test(specifier) && !isWithin(place.path, AWS_PLACES)) {
    return `Cannot import "${specifier}" here: AWS is called only in ${AWS_PLACES.join(", ")}, so that ` +
      "everything else runs and is tested without a cloud";
  }
  const path = importedPath(place, specifier);
  return pureFault(place, path, specifier) ?? tlsFault(place, specifier) ??
    (path === undefined ? undefined : layerFault(place, path));
}

function tlsFault(place: Place, specifier: string): string | undefined {
  if (!/^(node:)?(tls|https|http2)$/.test(specifier) || isWithin(place.path, [TLS_PLACE])) return undefined;
  return `Cannot import "${specifier}" here: ${TLS_REASON}`;
}

function pureFault(place: Place, path: string | undefined, specifier: string): string | undefined {
  const { pure } = place;
  if (pure === undefined || (path !== undefined && isWithin(path, PURE[pure]!))) return undefined;
  const allowed = PURE[pure]!.length > 0 ? `only ${PURE[pure]!.join(", ")}` : "nothing";
  return `Cannot import "${specifier}" in ${pure}: it may import ${allowed}, since ${PURE_REASON}`;
}

function layerFault(place: Place, path: string): string | undefined {
  const target = new Place(path);
  if (/(^|\/)main\.ts$/.test(path)) {
    return `Cannot import ${path}: a main.ts starts a program when it is loaded`;
  }
  if (path.endsWith("_test.ts")) return `Cannot import ${path}: programs do not depend on tests`;
  if (target.part === place.part) return roomFault(place, target);
  if (PARTS[place.part]?.includes(target.part)) return undefined;
  if (PARTS[place.part] === undefined && target.part === "") return undefined;
  return `Cannot import ${path} in ${place.part || "the top"}: ${PARTS_REASON}`;
}

/** Judges an import within one part; in shared/ rooms are layers of libraries and need no such rule. */
function roomFault(place: Place, target: Place): string | undefined {
  if (place.part !== "agent" && place.part !== "server") return undefined;
  if (isWithin(target.path, WIRING) && !place.isMain) {
    return `Cannot import ${target.path} in ${place.path}: ${ROOM_REASON}`;
  }
  if (place.room === undefined || target.room === undefined || place.room === target.room) return undefined;
  if (ROOMS[place.room]?.includes(target.room)) return undefined;
  return `Cannot import ${target.path} in ${place.room}: ${ROOM_REASON}`;
}

/** Returns the text of a literal or of a template without holes. */
function literalText(node: Deno.lint.Expression | null): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateLiteral" && node.expressions.length === 0) return node.quasis[0]?.cooked;
  return undefined;
}

/** Returns the names of `owner.name` and `owner["name"]`. */
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
  const place = new Place(path);
  const check = (node: ImportNode) => {
    if (node.source === null) return;
    const specifier = literalText(node.source);
    const fault = specifier !== undefined
      ? importFault(place, specifier)
      : place.isExempt
      ? undefined
      : "Cannot import what only runs tell: the rules about imports must be able to see it";
    if (fault !== undefined) context.report({ node, message: fault });
  };
  return {
    ImportDeclaration: check,
    ExportNamedDeclaration: check,
    ExportAllDeclaration: check,
    ImportExpression: check,
  };
}

/** Tells whether an identifier is only a name within something else: a property, a member, a type's part. */
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
  const place = path === undefined ? undefined : new Place(path);
  if (place?.pure === undefined || place.isExempt) return {};
  return {
    Identifier(node) {
      if (!RUNTIME_NAMES.has(node.name) || isOnlyName(node)) return;
      const message =
        `Cannot use ${node.name} in ${place.pure}: take a Clock or a Transport, since ${PURE_REASON}`;
      context.report({ node, message });
    },
  };
}

const EXIT_REASON = "only a main.ts may end the process; elsewhere throw, or set Deno.exitCode in a script";

function exit(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = projectPath(context.filename);
  if (path === undefined || new Place(path).isMain) return {};
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
        context.report({ node, message: `Cannot take exit out of Deno: ${EXIT_REASON}` });
      }
    },
  };
}

function tls(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = projectPath(context.filename);
  if (path === undefined || new Place(path).isExempt) return {};
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
