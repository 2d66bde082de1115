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
import type { SallyportError } from "./errors.ts";
import type { LogLevel } from "./log_level.ts";
import { countOf } from "./text/count_of.ts";
import { printableJson, truncate } from "./text/sanitize.ts";

/**
 * Fields of a log line. Names are in `snake_case` and mean the same everywhere:
 *
 * - `error`: the message of the error that is the reason for the line, and `code`: its code (SPEC.md section 6);
 * - `client` and `serial`: common name and serial number of a certificate, and `from`: the peer's address and port;
 * - `session`, `link` and `stream`: what both ends call them, and `n`: a message's number in its stream (SPEC.md 4.8);
 * - `target`, `host`, `port`, `address`, `protocol`, `file`;
 * - durations and sizes with their unit, such as `duration_ms`, `down_for_s`, `size_bytes`; counts as plural nouns.
 *
 * Only plain values, so that no list of headers, request or error object gets into a log by mistake. Header values,
 * keys and tokens are never logged.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What a line says about a callback that threw; the `cause` of the error is what it threw. */
export function callbackFields({ message, cause }: SallyportError): LogFields {
  return { error: message, stack: cause instanceof Error ? cause.stack : undefined };
}

/** Logs for one component. A message is a constant: lower case, the event first. Values go into fields. */
export interface Logger {
  /** One request or connection, for debugging. */
  debug(message: string, fields?: LogFields): void;
  /** A change of state: started, stopped, connected. */
  info(message: string, fields?: LogFields): void;
  /** Something failed, and the program recovered or will retry. */
  warn(message: string, fields?: LogFields): void;
  /** Something does not work until it is fixed. */
  error(message: string, fields?: LogFields): void;
}

/** Options of {@linkcode configureLog}. */
export interface LogOptions {
  /** @default "info" */
  level?: LogLevel;
  /** `json`: one object per line, for machines. `text`: for people at a terminal. @default "json" */
  format?: "json" | "text";
  /** Whether `text` is coloured. @default false */
  color?: boolean;
  /** Receives each line with its line end. @default {writes to standard error} */
  write?: (line: string) => void;
}

const ROOT = "sallyport";
/** The component of traced frames, which are logged at any level. */
const FRAMES = "frames";
/** Longest field, in characters. */
const MAX_FIELD = 1_024;
const LEVELS: Readonly<Record<LogLevel, LogtapeLevel>> = {
  debug: "debug",
  info: "info",
  warn: "warning",
  error: "error",
};

/** Configures logging for the whole process; until then nothing is logged. A later call replaces the configuration. */
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
      { category: [ROOT, FRAMES], sinks: ["sink"], parentSinks: "override", lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: ["sink"], lowestLevel: "warning" },
    ],
  });
}

/** Stops logging; for tests that configured it. */
export function resetLog(): void {
  resetSync();
}

/** The logger for `trace_frames`: its lines are written at any level. */
export function getFrameLogger(): Logger {
  return getLogger(FRAMES);
}

/** The logger of a component such as `tunnel` or `front_door`; cheap, and may be called before logging is configured. */
export function getLogger(component: string): Logger {
  const inner = getLogtapeLogger([ROOT, component]);
  return {
    debug: (message, fields) => inner.debug(literal(message), { ...fields }),
    info: (message, fields) => inner.info(literal(message), { ...fields }),
    warn: (message, fields) => inner.warn(literal(message), { ...fields }),
    error: (message, fields) => inner.error(literal(message), { ...fields }),
  };
}

/** Escapes braces, which would make a template of a message that quotes them. */
function literal(message: string): string {
  return /[{}]/.test(message) ? message.replace(/[{}]/g, "$&$&") : message;
}

function jsonFormatter(): (record: LogRecord) => string {
  const toLine = getJsonLinesFormatter();
  return (record) => printableJson(toLine({ ...record, properties: cutAll(record.properties) }));
}

function cutAll(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? cut(value) : value]),
  );
}

/** A line stays readable whatever a client asks for. */
function cut(text: string): string {
  const shown = truncate(text, MAX_FIELD);
  return shown === text ? text : `${shown} (${countOf(text.length, "character")})`;
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

/** Values may come from clients: what is not plain is quoted, so that it can neither steer a terminal nor forge a line. */
function fieldText(text: string): string {
  if (/^[\w.:/@*+,[\]-]+$/.test(text)) return text;
  return printableJson(JSON.stringify(text));
}

const encoder = new TextEncoder();

function writeToStandardError(line: string): void {
  try {
    let bytes = encoder.encode(line);
    while (bytes.byteLength > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // The reader of the log is gone. This cannot be reported, and traffic has to continue.
  }
}
