import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import { isHostName } from "../net/host_name.ts";
import { isLoopbackHost } from "../net/ip_address.ts";
import { LOG_LEVELS, type LogLevel } from "../log_level.ts";
import type { PemSource } from "../pki/x509/pem_source.ts";
import { durationText, MAX_DURATION, parseDuration } from "./duration.ts";
import {
  booleanHint,
  durationHint,
  endpointHint,
  hostHint,
  listHint,
  numberHint,
  portsHint,
} from "./hints.ts";
import { didYouMean, suggestions } from "../text/suggestions.ts";

/** One key of a configuration: its valid values and how they are read. */
export interface Field<T> {
  /** The expected value, as it follows "expected" in an error. */
  readonly expected: string;
  /** The expected value at a path below the key; `undefined` if it is the same. */
  expectedAt?(below: readonly (string | number)[]): string | undefined;
  /**
   * How to correct an invalid value, as it follows a semicolon; must not quote a secret.
   *
   * @default {nothing}
   */
  hint?(written: unknown, below: readonly (string | number)[]): string | undefined;
  /** Checks and converts the value in the file. */
  readonly schema: z.ZodType<T>;
  /** The default, as it would be written in the file. */
  readonly fallback: unknown;
  /** Converts the text of an environment variable to a value as in the file. */
  fromText(text: string): unknown;
  /** Makes a relative path absolute; `folder` is its base. @param isDefault Whether the value is the default. */
  resolve?(value: T, folder: string, isDefault?: boolean): T;
  /** Whether the value must not appear in errors. @default false */
  readonly secret?: boolean;
  /** A variable that holds the content of the file that this key names. */
  readonly content?: ContentVariable<T>;
  /** What the key means: Markdown for docs/configuration.md, with links relative to it. @default {nothing} */
  readonly description?: string;
}

/** Adds what the key means. */
export function described<T>(field: Field<T>, description: string): Field<T> {
  return { ...field, description };
}

/** See {@linkcode Field.content}. Errors do not quote its text, which may be secret. */
export interface ContentVariable<T> {
  /** Name of the variable without `SALLYPORT_`. */
  readonly name: string;
  /** The expected text, as it follows "expected" in an error. */
  readonly expected: string;
  /** Returns `undefined` for an invalid text. */
  read(text: string): T | undefined;
}

const asIs = (text: string): unknown => text;
/** A whole number within `min..max`. */
export function integer(fallback: number, min: number, max: number, noun = "a whole number"): Field<number> {
  return {
    expected: `${noun} from ${min} to ${max}, such as ${fallback}`,
    hint: numberHint,
    schema: z.int().min(min).max(max),
    fallback,
    fromText: (text) => /^-?\d+$/.test(text.trim()) ? Number(text) : text,
  };
}

/** A TCP port to listen on; 0 picks any free one. */
export function listenPort(fallback: number): Field<number> {
  return integer(fallback, 0, 65_535, "a port number");
}

/** The most ports of one key. */
const MAX_PORTS = 8;

/** One port to listen on, or several different ones; 0 picks a free one. */
export function listenPorts(fallback: number): Field<readonly number[]> {
  const port = z.int().min(0).max(65_535);
  const areDistinct = (ports: readonly number[]) => new Set(ports).size === ports.length;
  return {
    expected:
      `a port number from 0 to 65535, such as ${fallback}, or a list of up to ${MAX_PORTS} different ones, ` +
      `such as [${fallback}, 443]`,
    hint: portsHint,
    schema: z.union([port.transform((one) => [one]), z.array(port).min(1).max(MAX_PORTS)]).refine(
      areDistinct,
    ),
    fallback,
    fromText(text) {
      const words = text.split(",").map((word) => word.trim());
      const ports = words.map((word) => /^\d+$/.test(word) ? Number(word) : word);
      return ports.length === 1 ? ports[0] : ports;
    },
  };
}

/** A TCP port to connect to. */
export function dialPort(fallback: number): Field<number> {
  return integer(fallback, 1, 65_535, "a port number");
}

/**
 * An IPv4 or IPv6 address without brackets, or a host name; `""` only if that is the fallback.
 *
 * @param portKey The key of the port. @default {none}
 */
export function host(fallback: string, portKey?: string): Field<string> {
  const isHost = (text: string) => isIP(text) !== 0 || isHostName(text, { edgeHyphens: false });
  return {
    expected: 'an IP address or a host name, without a port, such as "192.0.2.7" or "host.example"',
    hint: (written) => hostHint(written, portKey),
    schema: z.string().refine((text) => isHost(text) || (text === "" && fallback === "")),
    fallback,
    fromText: asIs,
  };
}

/** True or false; in the environment also 1 or 0. */
export function boolean(fallback: boolean): Field<boolean> {
  return {
    expected: "true or false",
    hint: booleanHint,
    schema: z.boolean(),
    fallback,
    fromText: (text) => ({ true: true, false: false, 1: true, 0: false })[text] ?? text,
  };
}

/** The URL of a cloud function; `""` for none. Only functions on this machine may be called without TLS. */
export function endpoint(): Field<URL | undefined> {
  return {
    expected: 'a URL such as "https://abc.lambda-url.eu-central-1.on.aws/", or nothing',
    hint: endpointHint,
    schema: z.string().transform((text, context) => {
      if (text === "") return undefined;
      const url = URL.parse(text);
      const isPlain = url?.username === "" && url.password === "" && url.hash === "" && url.search === "";
      const isSafe = url?.protocol === "https:" ||
        (url?.protocol === "http:" && isLoopbackHost(url.hostname));
      if (url !== null && isPlain && isSafe) return url;
      context.addIssue("not an endpoint");
      return z.NEVER;
    }),
    fallback: "",
    fromText: asIs,
  };
}

/** A text that may contain a secret: errors do not quote it. @param expected As it follows "expected" in an error. */
export function secretText(isValid: (text: string) => boolean, expected: string): Field<string> {
  return { expected, schema: z.string().refine(isValid), fallback: "", fromText: asIs, secret: true };
}

/** A text that matches `form`. @param expected As it follows "expected" in an error. */
export function text(fallback: string, form: RegExp, expected: string): Field<string> {
  return { expected, schema: z.string().regex(form), fallback, fromText: asIs };
}

/** A duration such as `"60s"`; the value is in milliseconds. */
export function duration(fallback: string, minMs = 0, maxMs = MAX_DURATION): Field<number> {
  const atLeast = minMs > 0 ? ` of at least "${durationText(minMs)}"` : "";
  const atMost = maxMs < MAX_DURATION ? ` of at most "${durationText(maxMs)}"` : "";
  const examples = ["500ms", "60s", "15m", "1h"].filter((example) => {
    const ms = parseDuration(example)!;
    return ms >= minMs && ms <= maxMs;
  }).map((example) => JSON.stringify(example));
  return {
    expected: `a duration${atLeast}${atMost} such as ${examples.slice(0, -1).join(", ")} or ${
      examples.at(-1)
    }`,
    hint: durationHint,
    // Nothing is the same in every unit.
    schema: z.preprocess(
      (value) => value === 0 || value === "0" ? "0s" : value,
      z.string().transform((text) => parseDuration(text) ?? NaN).refine((ms) => ms >= minMs && ms <= maxMs),
    ),
    fallback,
    fromText: asIs,
  };
}

/** A user name and a password. */
export interface UserAndPassword {
  readonly user: string;
  readonly password: string;
}

/** `"user:password"`, `""` for none; with the lengths of RFC 1929 section 2. The user has no colon. */
export function userAndPassword(): Field<UserAndPassword | undefined> {
  const fits = (text: string) => text !== "" && new TextEncoder().encode(text).byteLength <= 255;
  return {
    expected: '"user:password", both of 1 to 255 bytes and without control characters, or nothing',
    schema: z.string().transform((text) => {
      const [, user = "", password = ""] = /^([^:]*):([^]*)$/.exec(text) ?? [];
      return text === "" ? undefined : { user, password };
    }).refine((pair) =>
      pair === undefined ||
      fits(pair.user) && fits(pair.password) && !/\p{Cc}/u.test(pair.user + pair.password)
    ),
    fallback: "",
    fromText: asIs,
    secret: true,
  };
}

/** The log level. */
export function logLevel(fallback: LogLevel): Field<LogLevel> {
  return {
    expected: `one of ${LOG_LEVELS.join(", ")}`,
    hint: (written) => typeof written === "string" ? didYouMean(suggestions(written, LOG_LEVELS)) : undefined,
    schema: z.enum(LOG_LEVELS),
    fallback,
    fromText: asIs,
  };
}

/**
 * A list of texts without spaces, separated by commas in the environment.
 *
 * @param entries What the entries are, as it follows "a list of" in an error.
 * @param isValid Checks one entry.
 * @param entryHint How to correct an entry, as it follows a semicolon. @default {nothing}
 * @param entry What one entry is, as it follows "expected" in an error. @default {as the list}
 */
export function list(
  entries: string,
  isValid: (entry: string) => boolean,
  entryHint?: (written: unknown) => string | undefined,
  entry?: string,
): Field<readonly string[]> {
  return {
    expected: `a list of ${entries}`,
    expectedAt: (below) => below.length === 0 ? undefined : entry,
    hint: (written, below) => below.length === 0 ? listHint(written) : entryHint?.(written),
    schema: z.array(z.string().refine((entry) => /^\S+$/.test(entry) && isValid(entry))),
    fallback: [],
    fromText: (text) => text.trim() === "" ? [] : text.split(",").map((entry) => entry.trim()),
  };
}

/**
 * An optional PEM or DER file; `""` for none. In the environment, also the PEM text itself.
 *
 * @param variable Name of the variable with the text, without `SALLYPORT_`.
 */
export function optionalPem(variable: string): Field<PemSource | undefined> {
  const { schema, content, resolve, ...field } = pem("", variable);
  return {
    ...field,
    expected: 'the path of a PEM or DER file, such as "./certs/crl.pem", or nothing',
    schema: z.union([z.literal("").transform(() => undefined), schema]),
    resolve: (source, folder, isDefault) => source && resolve!(source, folder, isDefault),
    content: content!,
  };
}

/**
 * A PEM file. In the environment, also the PEM text itself.
 *
 * @param fallback Path of the file.
 * @param variable Name of the variable with the text, without `SALLYPORT_`.
 */
export function pem(fallback: string, variable: string): Field<PemSource> {
  return {
    expected: `the path of a PEM file, such as "${fallback}"`,
    hint: (written) =>
      typeof written === "string" && written.includes("-----BEGIN")
        ? `PEM text itself belongs in the variable SALLYPORT_${variable}`
        : undefined,
    schema: z.string().regex(/^(?!-----BEGIN)[^\n\0]+$/).transform((file) => ({ file })),
    fallback,
    fromText: asIs,
    resolve: (source, folder, isDefault = false) =>
      "file" in source
        ? { file: resolve(folder, source.file), ...isDefault && { isDefault: true as const } }
        : source,
    content: {
      name: variable,
      expected: 'PEM text, which begins with "-----BEGIN"',
      read(text) {
        // Some tools cannot put line breaks in a variable and write \n; PEM itself has no backslash.
        const pem = text.replaceAll("\\n", "\n");
        return pem.trimStart().startsWith("-----BEGIN ") ? { pem } : undefined;
      },
    },
  };
}
