import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { SallyportError } from "../errors.ts";
import { contentVariable, unknownVariables, variableOf } from "./environment.ts";
import type { Field } from "./fields.ts";
import { type ConfigOf, isField, type Path, type Shape } from "./shape.ts";
import { parseYamlFile, type YamlFile } from "./yaml_file.ts";

/** Where a configuration is read from. */
export interface LoadOptions {
  /**
   * Path of the YAML file.
   *
   * @default {none: defaults and environment only}
   */
  file?: string | undefined;
  /** Environment variables; those that do not begin with `SALLYPORT_` are not looked at. */
  environment: Readonly<Record<string, string>>;
  /** @default {Deno.readTextFile} */
  readFile?: (path: string) => Promise<string>;
  /**
   * What relative paths in the environment are relative to, and `file` itself.
   *
   * @default {the process's}
   */
  workingDirectory?: string;
}

/**
 * Reads a configuration: for each key the environment, else the file, else the default.
 *
 * @throws {SallyportError} `bad_request` with one line for each problem: file and line or variable, key, and what
 * was expected.
 */
export async function loadConfig<S extends Shape>(shape: S, options: LoadOptions): Promise<ConfigOf<S>> {
  const { file, environment, readFile = Deno.readTextFile } = options;
  const workingDirectory = resolve(options.workingDirectory ?? ".");
  const path = file === undefined ? undefined : resolve(workingDirectory, file);
  const yaml = path === undefined ? undefined : parseYamlFile(await read(path, file!, readFile));
  const folders = {
    file: path === undefined ? workingDirectory : dirname(path),
    environment: workingDirectory,
  };
  return new Loading(environment, yaml, file ?? "", folders).run(shape);
}

async function read(
  path: string,
  shown: string,
  readFile: (path: string) => Promise<string>,
): Promise<string> {
  try {
    return await readFile(path);
  } catch (cause) {
    // Deno adds the name of its operation and the path, which stands before it already.
    const reason = cause instanceof Error ? cause.message.replace(/: readfile [\s\S]*$/, "") : String(cause);
    throw new SallyportError("bad_request", `${shown}: Cannot read configuration file: ${reason}`, { cause });
  }
}

/** One run of {@linkcode loadConfig}: gathers problems instead of ending at the first. */
class Loading {
  readonly #fromEnvironment: string[] = [];
  readonly #fromFile: { line: number; text: string }[] = [];

  constructor(
    readonly environment: Readonly<Record<string, string>>,
    readonly yaml: YamlFile | undefined,
    readonly file: string,
    readonly folders: { file: string; environment: string },
  ) {}

  run<S extends Shape>(shape: S): ConfigOf<S> {
    for (const { line, message } of this.yaml?.problems ?? []) this.#inFile(line, message);
    for (const name of unknownVariables(shape, this.environment)) {
      this.#fromEnvironment.push(`${name}: Cannot use variable: no key has this name`);
    }
    const config = this.#group(shape, this.yaml?.values ?? {}, []);
    this.#fromFile.sort((a, b) => a.line - b.line);
    const problems = [...this.#fromFile.map(({ text }) => text), ...this.#fromEnvironment];
    if (problems.length > 0) throw new SallyportError("bad_request", problems.join("\n"));
    return config as ConfigOf<S>;
  }

  #group(shape: Shape, values: Readonly<Record<string, unknown>>, above: readonly string[]): unknown {
    for (const key of Object.keys(values)) {
      if (Object.hasOwn(shape, key)) continue;
      const known = Object.keys(shape).join(", ");
      this.#atKey(
        [...above, key],
        `Cannot use ${[...above, key].join(".")}: expected one of the keys ${known}`,
      );
    }
    const entries = Object.entries(shape).map(([key, entry]) => {
      const path = [...above, key];
      const value = Object.hasOwn(values, key) ? values[key] : undefined;
      if (isField(entry)) return [key, this.#value(entry, value, path)];
      if (value === undefined || isMapping(value)) return [key, this.#group(entry, value ?? {}, path)];
      this.#unexpected(path, `the keys ${Object.keys(entry).join(", ")}`, value);
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
        `${variable}: Cannot use variable: expected ${field.expected}, current value is ${show(text)}`,
      );
    }
    return undefined;
  }

  /** A variable that holds a whole structure: where in it something is wrong. */
  #inText(field: Field<unknown>, variable: string, said: unknown, { issues }: z.ZodError): void {
    for (const { path } of issues) {
      const at = stepsOf(path);
      const expected = field.expectedAt?.(at) ?? field.expected;
      this.#fromEnvironment.push(
        `${variable}: Cannot use ${nameOf(at)}: expected ${expected}, current value is ${
          show(valueAt(said, at))
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
    if (result.success) return settle(field, result.data, this.folders.file);
    for (const { path: below } of result.error.issues) {
      const at = stepsOf(below);
      this.#unexpected([...path, ...at], field.expectedAt?.(at) ?? field.expected, valueAt(written, at));
    }
    return undefined;
  }

  #unexpected(path: Path, expected: string, value: unknown): void {
    this.#atKey(path, `Cannot use ${nameOf(path)}: expected ${expected}, current value is ${show(value)}`);
  }

  #atKey(path: Path, message: string): void {
    this.#inFile(this.yaml?.lineOf(path) ?? 0, message);
  }

  #inFile(line: number, message: string): void {
    this.#fromFile.push({ line, text: `${this.file}:${line}: ${message}` });
  }
}

function settle(field: Field<unknown>, value: unknown, folder: string): unknown {
  return field.resolve ? field.resolve(value, folder) : value;
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

function show(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (String(value).includes("-----BEGIN")) return "PEM text"; // perhaps a key: it must not get into a log
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
