import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { truncate } from "../text/sanitize.ts";
import { SallyportError } from "../errors.ts";
import {
  type ConfigOf,
  contentVariable,
  fieldsOf,
  isField,
  type Path,
  type Shape,
  unknownVariables,
  variableOf,
} from "./shape.ts";
import type { Field } from "./fields.ts";
import { didYouMean, suggestions } from "../text/suggestions.ts";
import { manualOf, ownerElsewhere, PROGRAM_KEYS, type ProgramName } from "./program_keys.ts";
import { type ReadBytes, readConfigText } from "./config_file.ts";
import { parseYamlFile, type Place, type YamlFile } from "./yaml_file.ts";

/** The sources of a configuration. */
export interface LoadOptions {
  /**
   * Path of the YAML file.
   *
   * @default {none: defaults and environment only}
   */
  file?: string | undefined;
  /** Environment variables; those without the prefix `SALLYPORT_` are ignored. */
  environment: Readonly<Record<string, string>>;
  /** @default {from the file system} */
  readBytes?: ReadBytes;
  /** The program, for messages about keys of the other one. @default {none} */
  program?: ProgramName;
  /**
   * The base of relative paths in the environment, and of `file`.
   *
   * @default {the process's}
   */
  workingDirectory?: string;
}

/** A configuration and its origin. */
export interface ReadConfig<S extends Shape> {
  readonly config: ConfigOf<S>;
  /** The source of a key's value, as it begins an error: file, line and column, or the variable. */
  at(...key: string[]): string;
}

/**
 * Reads a configuration: each key from the environment, or else the file, or else its default.
 *
 * @throws {SallyportError} `bad_request` with one line for each problem: file, line and column or variable, key, and
 * the expected value.
 */
export async function readConfig<S extends Shape>(shape: S, options: LoadOptions): Promise<ReadConfig<S>> {
  const { file, environment, readBytes, program } = options;
  const workingDirectory = resolve(options.workingDirectory ?? ".");
  const path = file === undefined ? undefined : resolve(workingDirectory, file);
  const yaml = path === undefined ? undefined : parseYamlFile(await readConfigText(path, readBytes));
  const folders = {
    file: path === undefined ? workingDirectory : dirname(path),
    environment: workingDirectory,
  };
  const loading = new Loading(shape, environment, yaml, path, folders, program);
  return { config: loading.run() as ConfigOf<S>, at: (...key) => loading.origin(key) };
}

/** As {@linkcode readConfig}, without the origins. */
export async function loadConfig<S extends Shape>(shape: S, options: LoadOptions): Promise<ConfigOf<S>> {
  return (await readConfig(shape, options)).config;
}

/** One run of {@linkcode readConfig}, which collects all problems. */
class Loading {
  readonly #fromEnvironment: string[] = [];
  readonly #fromFile: { place: Place; text: string }[] = [];

  constructor(
    readonly shape: Shape,
    readonly environment: Readonly<Record<string, string>>,
    readonly yaml: YamlFile | undefined,
    readonly file: string | undefined,
    readonly folders: { file: string; environment: string },
    readonly program: ProgramName | undefined,
  ) {}

  run(): unknown {
    this.#requireOwnFile(Object.keys(this.yaml?.values ?? {}));
    for (const { message, ...place } of this.yaml?.problems ?? []) this.#inFile(place, message);
    for (const name of unknownVariables(this.shape, this.environment)) {
      this.#fromEnvironment.push(`${name}: Cannot use variable: ${this.#unknownVariable(name)}`);
    }
    const config = this.#group(this.shape, this.yaml?.values ?? {}, []);
    this.#fromFile.sort(({ place: a }, { place: b }) => a.line - b.line || a.column - b.column);
    const problems = [...this.#fromFile.map(({ text }) => text), ...this.#fromEnvironment];
    if (problems.length > 0) throw new SallyportError("bad_request", problems.join("\n"));
    return config;
  }

  origin(key: readonly string[]): string {
    const field = [...fieldsOf(this.shape)].find(([path]) => path.join() === key.join())?.[1];
    const names = [...field?.content ? [contentVariable(field.content.name)] : [], variableOf(key)];
    const variable = names.find((name) => this.environment[name] !== undefined);
    if (variable !== undefined) return variable;
    if (this.file === undefined) return `no --config was given, and ${names.at(-1)} is not set`;
    if (Object.keys(this.yaml?.values ?? {}).length === 0) return `${this.file} (which has no keys)`;
    if (!this.yaml?.has(key)) return this.file;
    const { line, column } = this.yaml.placeOf(key);
    return `${this.file}:${line}:${column}`;
  }

  /** With the other program's file every key would be an error, so there is one error for the file. */
  #requireOwnFile(keys: readonly string[]): void {
    const { program } = this;
    if (program === undefined) return;
    const owners = keys.map((key) => ownerElsewhere(key, program));
    const other = owners.find((owner) => owner !== undefined);
    const isOwn = (key: string) =>
      (PROGRAM_KEYS[program] as readonly string[]).includes(key) &&
      other !== undefined && ownerElsewhere(key, other) === program;
    if (other === undefined || keys.some(isOwn)) return;
    const [a, key] = [other === "agent" ? "an agent's" : "a server's", keys[owners.indexOf(other)]];
    throw new SallyportError(
      "bad_request",
      `${this.file}: Cannot use the file: this looks like ${a} configuration (it has the key ${key}), but this is ` +
        `the ${program}; give the ${program}'s file to --config, or start the ${other} with this one`,
    );
  }

  #unknownVariable(name: string): string {
    const key = name.slice(variableOf([""]).length).toLowerCase();
    const other = this.program && ownerElsewhere(key.split("__")[0]!, this.program);
    if (other !== undefined) {
      return `it sets a key of the ${other}, but this is the ${this.program}; unset it`;
    }
    const known = [...fieldsOf(this.shape)].flatMap(([path, { content }]) => [
      path.join("__"),
      ...content ? [content.name.toLowerCase()] : [],
    ]);
    const inGroup = known.filter((each) => each.startsWith(`${key}__`));
    const meant = inGroup.length > 0 ? inGroup : suggestions(key, known);
    const variables = meant.map((each) => variableOf([each]));
    return `no key has this name; ${didYouMean(variables) ?? this.#manual()}`;
  }

  #unknownKey(shape: Shape, path: readonly string[]): string {
    const [above, key] = [path.slice(0, -1), path.at(-1)!];
    const other = above.length === 0 && this.program ? ownerElsewhere(key, this.program) : undefined;
    if (other !== undefined) {
      return `it is a key of the ${other}, but this is the ${this.program}; remove it`;
    }
    const here = suggestions(key, Object.keys(shape)).map((name) => [...above, name].join("."));
    const all = [...fieldsOf(this.shape)].map(([each]) => each.join("."));
    const meant = here.length > 0 ? here : suggestions(path.join("."), all);
    return `there is no such key; ${didYouMean(meant) ?? this.#manual()}`;
  }

  #manual(): string {
    return `see ${manualOf(this.program)} for the keys`;
  }

  #group(shape: Shape, values: Readonly<Record<string, unknown>>, above: readonly string[]): unknown {
    for (const key of Object.keys(values)) {
      if (Object.hasOwn(shape, key)) continue;
      const path = [...above, key];
      this.#atKey(path, `Cannot use ${path.join(".")}: ${this.#unknownKey(shape, path)}`);
    }
    const entries = Object.entries(shape).map(([key, entry]) => {
      const path = [...above, key];
      const value = Object.hasOwn(values, key) ? values[key] : undefined;
      if (isField(entry)) return [key, this.#value(entry, value, path)];
      if (value === undefined || isMapping(value)) return [key, this.#group(entry, value ?? {}, path)];
      const below = Object.keys(entry);
      this.#unexpected(
        path,
        `the keys ${below.join(", ")} below it, such as "${key}: { ${below[0]}: [] }"`,
        show(value),
      );
      return [key, this.#group(entry, {}, path)];
    });
    return Object.fromEntries(entries);
  }

  #value(field: Field<unknown>, written: unknown, path: readonly string[]): unknown {
    if (field.content) {
      const name = contentVariable(field.content.name);
      const text = this.environment[name];
      if (text !== undefined) return this.#content(field.content, name, text);
    }
    const variable = variableOf(path);
    const text = this.environment[variable];
    if (text === undefined) return this.#fileValue(field, written, path);

    const said = field.fromText(text);
    const result = field.schema.safeParse(said);
    if (result.success) return settle(field, result.data, this.folders.environment);
    if (field.expectedAt && said !== text) this.#inText(field, variable, said, result.error);
    else {
      this.#fromEnvironment.push(
        `${variable}: Cannot use variable: ${
          expectation(field.expected, show(text, field), field.hint?.(said, []))
        }`,
      );
    }
    return undefined;
  }

  /** For a variable that holds a structure: names the path of each problem. */
  #inText(field: Field<unknown>, variable: string, said: unknown, { issues }: z.ZodError): void {
    for (const { path } of issues) {
      const at = stepsOf(path);
      const expected = field.expectedAt?.(at) ?? field.expected;
      const value = valueAt(said, at);
      this.#fromEnvironment.push(
        `${variable}: Cannot use ${nameOf(at)}: ${
          expectation(expected, show(value), field.hint?.(value, at))
        }`,
      );
    }
  }

  #content(content: NonNullable<Field<unknown>["content"]>, name: string, text: string): unknown {
    const value = content.read(text);
    if (value === undefined) {
      this.#fromEnvironment.push(`${name}: Cannot use variable: expected ${content.expected}`);
    }
    return value;
  }

  #fileValue(field: Field<unknown>, written: unknown, path: readonly string[]): unknown {
    const result = field.schema.safeParse(written === undefined ? field.fallback : written);
    if (result.success) return settle(field, result.data, this.folders.file, written === undefined);
    for (const { path: below } of result.error.issues) {
      const at = stepsOf(below);
      const value = valueAt(written, at);
      const expected = field.expectedAt?.(at) ?? field.expected;
      this.#unexpected([...path, ...at], expected, show(value, field), field.hint?.(value, at));
    }
    return undefined;
  }

  #unexpected(path: Path, expected: string, shown: string, hint?: string): void {
    this.#atKey(path, `Cannot use ${nameOf(path)}: ${expectation(expected, shown, hint)}`);
  }

  #atKey(path: Path, message: string): void {
    this.#inFile(this.yaml?.placeOf(path) ?? { line: 0, column: 0 }, message);
  }

  #inFile(place: Place, message: string): void {
    this.#fromFile.push({ place, text: `${this.file}:${place.line}:${place.column}: ${message}` });
  }
}

function expectation(expected: string, shown: string, hint: string | undefined): string {
  return `expected ${expected}, current value is ${shown}${hint === undefined ? "" : `; ${hint}`}`;
}

function settle(field: Field<unknown>, value: unknown, folder: string, isDefault = false): unknown {
  return field.resolve ? field.resolve(value, folder, isDefault) : value;
}

function stepsOf(path: readonly PropertyKey[]): Path {
  return path.map((step) => typeof step === "symbol" ? String(step) : step);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((inner, step) => (inner as Record<string | number, unknown>)?.[step], value);
}

/** `targets.allow[2]` */
function nameOf(path: Path): string {
  return path.map((step, at) => typeof step === "number" ? `[${step}]` : at === 0 ? step : `.${step}`).join(
    "",
  );
}

function show(value: unknown, { secret = false }: { secret?: boolean } = {}): string {
  if (value === null || value === undefined) return "empty";
  if (secret) return "hidden, because it may be a secret";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (String(value).includes("-----BEGIN")) return "PEM text"; // perhaps a key: it must not get into a log
  const masked = String(value).replace(/:[^\s:@/]*@/g, ":***@"); // a password of an address
  const text = typeof value === "string" ? JSON.stringify(masked) : masked;
  return truncate(text);
}
