import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import { isLoopback } from "../net/loopback.ts";
import { LOG_LEVELS, type LogLevel } from "../log_level.ts";
import type { PemSource } from "../tls/identity_source.ts";
import { parseDuration } from "./duration.ts";

/** One key of a configuration: what may be written there and what becomes of it. */
export interface Field<T> {
  /** What belongs there, as it follows "expected" in an error. */
  readonly expected: string;
  /** What belongs at a place below the key, where that is not the same; `undefined` where it is. */
  expectedAt?(below: readonly (string | number)[]): string | undefined;
  /** Checks what the file says and turns it into the value. */
  readonly schema: z.ZodType<T>;
  /** What counts as written when neither file nor environment says anything. */
  readonly fallback: unknown;
  /** Turns an environment variable's text into what the file would say. */
  fromText(text: string): unknown;
  /** Makes a relative path absolute; `folder` is the one that it is relative to. */
  resolve?(value: T, folder: string): T;
  /** Whether the value must not stand in an error. @default false */
  readonly secret?: boolean;
  /** A variable that holds the content in place of the file that this key names. */
  readonly content?: ContentVariable<T>;
}

/** See {@linkcode Field.content}. Its text may be secret: errors do not quote it. */
export interface ContentVariable<T> {
  /** Name of the variable without `SALLYPORT_`. */
  readonly name: string;
  /** What belongs there, as it follows "expected" in an error. */
  readonly expected: string;
  /** Returns `undefined` when the text is not what is expected. */
  read(text: string): T | undefined;
}

const asIs = (text: string): unknown => text;
const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i;
/** Longest delay that a timer takes; beyond it, timers fire at once. */
const MAX_DURATION = 2_147_483_647;

/** A whole number within `min..max`. */
export function integer(fallback: number, min: number, max: number, noun = "a whole number"): Field<number> {
  return {
    expected: `${noun} from ${min} to ${max}`,
    schema: z.int().min(min).max(max),
    fallback,
    fromText: (text) => /^-?\d+$/.test(text.trim()) ? Number(text) : text,
  };
}

/** A TCP port to listen on; 0 picks any free one. */
export function listenPort(fallback: number): Field<number> {
  return integer(fallback, 0, 65_535, "a port number");
}

/** Ports that listeners take at once. */
const MAX_PORTS = 8;

/** One port to listen on, or several, each another; 0 picks a free one. */
export function listenPorts(fallback: number): Field<readonly number[]> {
  const port = z.int().min(0).max(65_535);
  const isEachAnother = (ports: readonly number[]) => new Set(ports).size === ports.length;
  return {
    expected: `a port number from 0 to 65535, or a list of up to ${MAX_PORTS}, each another`,
    schema: z.union([port.transform((one) => [one]), z.array(port).min(1).max(MAX_PORTS)]).refine(
      isEachAnother,
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

/** An IPv4 or IPv6 address without brackets, or a host name; `""` only if that is the fallback. */
export function host(fallback: string): Field<string> {
  const isHost = (text: string) => isIP(text) !== 0 || (text.length <= 253 && HOST_NAME.test(text));
  return {
    expected: "an IP address or a host name, without a port",
    schema: z.string().refine((text) => isHost(text) || (text === "" && fallback === "")),
    fallback,
    fromText: asIs,
  };
}

/** True or false. */
export function boolean(fallback: boolean): Field<boolean> {
  return {
    expected: "true or false",
    schema: z.boolean(),
    fallback,
    fromText: (text) => ({ true: true, false: false })[text] ?? text,
  };
}

/** The address of a function of the cloud; `""` for none. Only this machine itself is called without TLS. */
export function endpoint(): Field<URL | undefined> {
  return {
    expected: 'an address such as "https://abc.lambda-url.eu-central-1.on.aws/", or nothing',
    schema: z.string().transform((text, context) => {
      if (text === "") return undefined;
      const url = URL.parse(text);
      const isPlain = url?.username === "" && url.password === "" && url.hash === "" && url.search === "";
      const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isThisMachine(url.hostname));
      if (url !== null && isPlain && isSafe) return url;
      context.addIssue("no endpoint");
      return z.NEVER;
    }),
    fallback: "",
    fromText: asIs,
  };
}

/** A text that may have a secret in it: errors do not show it. @param expected As it follows "expected" in an error. */
export function secretText(isValid: (text: string) => boolean, expected: string): Field<string> {
  return { expected, schema: z.string().refine(isValid), fallback: "", fromText: asIs, secret: true };
}

function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || isLoopback(hostname.replace(/^\[|\]$/g, ""));
}

/** A text of some form. @param expected What belongs there, as it follows "expected" in an error. */
export function text(fallback: string, form: RegExp, expected: string): Field<string> {
  return { expected, schema: z.string().regex(form), fallback, fromText: asIs };
}

/** A length of time such as `"60s"`; the value is in milliseconds. */
export function duration(fallback: string, minMs = 0): Field<number> {
  const atLeast = minMs > 0 ? ` of at least ${minMs} ms` : "";
  return {
    expected: `a duration${atLeast} such as "500ms", "60s", "15m" or "1h"`,
    schema: z.string().transform((text) => parseDuration(text) ?? NaN).refine((ms) =>
      ms >= minMs && ms <= MAX_DURATION
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

/** `"user:password"`, `""` for none; of lengths that RFC 1929 section 2 can carry. The user has no colon. */
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

/** How much the program logs. */
export function logLevel(fallback: LogLevel): Field<LogLevel> {
  return {
    expected: `one of ${LOG_LEVELS.join(", ")}`,
    schema: z.enum(LOG_LEVELS),
    fallback,
    fromText: asIs,
  };
}

/**
 * A list of texts without blanks, in the environment separated by commas.
 *
 * @param entries What the entries are, as it follows "a list of" in an error.
 * @param isValid Judges one entry.
 */
export function list(entries: string, isValid: (entry: string) => boolean): Field<readonly string[]> {
  return {
    expected: `a list of ${entries}`,
    schema: z.array(z.string().refine((entry) => /^\S+$/.test(entry) && isValid(entry))),
    fallback: [],
    fromText: (text) => text.trim() === "" ? [] : text.split(",").map((entry) => entry.trim()),
  };
}

/**
 * A file with PEM text or DER that need not be there: `""` is none. Or, from the environment, the PEM text itself.
 *
 * @param variable Name of the variable with the text, without `SALLYPORT_`.
 */
export function optionalPem(variable: string): Field<PemSource | undefined> {
  const { schema, content, resolve, ...field } = pem("", variable);
  return {
    ...field,
    expected: "the path of a PEM or DER file",
    schema: z.union([z.literal("").transform(() => undefined), schema]),
    resolve: (source, folder) => source && resolve!(source, folder),
    content: content!,
  };
}

/**
 * A file with PEM text, or, from the environment, the text itself.
 *
 * @param fallback Path of the file.
 * @param variable Name of the variable with the text, without `SALLYPORT_`.
 */
export function pem(fallback: string, variable: string): Field<PemSource> {
  return {
    expected: "the path of a PEM file",
    schema: z.string().regex(/^(?!-----BEGIN)[^\n\0]+$/).transform((file) => ({ file })),
    fallback,
    fromText: asIs,
    resolve: (source, folder) => "file" in source ? { file: resolve(folder, source.file) } : source,
    content: {
      name: variable,
      expected: 'PEM text, which begins with "-----BEGIN"',
      read(text) {
        // Some places cannot hold line breaks in a variable and write them as \n; PEM itself has no backslash.
        const pem = text.replaceAll("\\n", "\n");
        return pem.trimStart().startsWith("-----BEGIN ") ? { pem } : undefined;
      },
    },
  };
}
