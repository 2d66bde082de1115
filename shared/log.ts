import {
  configureSync,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getLogger as getLogtapeLogger,
  getTextFormatter,
  type LogLevel as LogtapeLevel,
  type LogRecord,
  resetSync,
  type TextFormatterOptions,
} from "@logtape/logtape";
import { escapeForDisplay } from "./display_json.ts";
import type { LogLevel } from "./log_level.ts";

/**
 * What a log line may carry beside its message. Only plain values: a list of headers, a request or an error with
 * all that hangs on it cannot get into a log by mistake. Header values, keys and tokens do not belong here at all.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What a room logs with. Messages are fixed texts; what varies goes into fields, named as in `snake_case`. */
export interface Logger {
  /** What only somebody who looks for a fault wants to see. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator wants to find later: starts, stops, connections. */
  info(message: string, fields?: LogFields): void;
  /** What went wrong and was coped with. */
  warn(message: string, fields?: LogFields): void;
  /** What went wrong and needs somebody. */
  error(message: string, fields?: LogFields): void;
}

/** How a program logs. */
export interface LogOptions {
  /** @default "info" */
  level?: LogLevel;
  /** `json`: an object a line, for machines. `text`: for somebody at a terminal. @default "json" */
  format?: "json" | "text";
  /** Whether `text` is coloured. @default false */
  color?: boolean;
  /** Takes each line with its line end. @default {writes to standard error} */
  write?: (line: string) => void;
}

const ROOT = "sallyport";
/** Characters of a field that are logged. */
const MAX_FIELD = 1_024;
const LEVELS: Readonly<Record<LogLevel, LogtapeLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
};

/** Sets up logging for the whole process; until then nothing is logged. Called again, it replaces what was set. */
export function configureLog(
  { level = "info", format = "json", color = false, write }: LogOptions = {},
): void {
  const formatter = format === "json" ? jsonFormatter() : textFormatter(color);
  const toLine = write ?? writeToStandardError;
  const sink = (record: LogRecord) => toLine(formatter(record));
  configureSync({
    reset: true,
    sinks: { sink },
    loggers: [
      { category: [ROOT], sinks: ["sink"], lowestLevel: LEVELS[level] },
      { category: ["logtape", "meta"], sinks: ["sink"], lowestLevel: "warning" },
    ],
  });
}

/** Ends logging; for tests that configured it. */
export function resetLog(): void {
  resetSync();
}

/** Returns the logger of a room such as `tunnel` or `front_door`; cheap, and may be called before logging is set up. */
export function getLogger(room: string): Logger {
  const inner = getLogtapeLogger([ROOT, room]);
  return {
    debug: (message, fields) => inner.debug(literal(message), { ...fields }),
    info: (message, fields) => inner.info(literal(message), { ...fields }),
    warn: (message, fields) => inner.warn(literal(message), { ...fields }),
    error: (message, fields) => inner.error(literal(message), { ...fields }),
  };
}

/** Braces would make a template of a message: one that quotes an error may hold any. */
function literal(message: string): string {
  return /[{}]/.test(message) ? message.replace(/[{}]/g, "$&$&") : message;
}

function jsonFormatter(): (record: LogRecord) => string {
  const toLine = getJsonLinesFormatter();
  return (record) => escapeForDisplay(toLine({ ...record, properties: cutAll(record.properties) }));
}

function cutAll(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? cut(value) : value]),
  );
}

/** Whatever a stranger asks for, a line stays readable. */
function cut(text: string): string {
  return text.length > MAX_FIELD ? `${text.slice(0, MAX_FIELD)}… (${text.length} characters)` : text;
}

function textFormatter(color: boolean): (record: LogRecord) => string {
  const options: TextFormatterOptions = {
    timestamp: "time",
    timeZone: null,
    level: (level) => (level === "warning" ? "warn" : level).padEnd(5),
    category: (category) => category.slice(1).join("."),
    sanitize: {},
    format: ({ timestamp, level, category, message, record }) =>
      `${timestamp} ${level} ${category}: ${message.replaceAll("\n", "\n  ")}${
        fieldsText(record.properties)
      }`,
  };
  return color ? getAnsiColorFormatter(options) : getTextFormatter(options);
}

function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields).filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${fieldText(cut(String(value)))}`).join("");
}

/** Names of targets come from outside: what is not plain is quoted, so that it can neither steer a terminal nor forge. */
function fieldText(text: string): string {
  if (/^[\w.:/@*+,[\]-]+$/.test(text)) return text;
  return escapeForDisplay(JSON.stringify(text));
}

const encoder = new TextEncoder();

function writeToStandardError(line: string): void {
  try {
    let bytes = encoder.encode(line);
    while (bytes.byteLength > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // Whoever read the log went away. There is nobody to tell, and the traffic has to go on.
  }
}
