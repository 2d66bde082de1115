import { certsCommand } from "../../cli/command_line.ts";
import { SallyportError } from "../../errors.ts";
import { fromOsError } from "../../net/os_error.ts";

/** Where PEM text comes from: a file, which may be read again later, or the text itself. */
export type PemSource =
  | {
    readonly file: string;
    /** Whether the configuration does not set the path. @default false */
    readonly isDefault?: true;
  }
  | { readonly pem: string };

/** A text that is kept elsewhere and may change between two reads. */
export interface LiveText {
  /** What messages call it, such as the name of a parameter. */
  readonly name: string;
  text(): string;
  /** Sets what to do when the text has changed; called once. */
  onChange(listener: () => void): void;
}

/** The bytes of a file or a variable, and what messages call it. */
export interface PemData {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/**
 * Reads a file, or takes the text given instead of one.
 *
 * @param what What it is, for messages: "certificate".
 * @param key The configuration key of the file, or the option. @default {none}
 * @throws {SallyportError} `bad_request` when the file cannot be read.
 */
export async function readPemSource(
  source: PemSource | LiveText,
  what: string,
  key?: string,
): Promise<PemData> {
  if ("pem" in source) {
    return { bytes: new TextEncoder().encode(source.pem), name: `${what} given as text` };
  }
  if ("text" in source) {
    return { bytes: new TextEncoder().encode(source.text()), name: `${what} ${source.name}` };
  }
  const name = `${what} ${source.file}`;
  try {
    return { bytes: await Deno.readFile(source.file), name };
  } catch (error) {
    const { message } = fromOsError(error, `read ${name}`);
    throw new SallyportError("bad_request", message + adviceFor(error, source, key), { cause: error });
  }
}

function adviceFor(error: unknown, { isDefault }: { isDefault?: true }, key?: string): string {
  if (error instanceof Deno.errors.NotFound) {
    if (key === undefined) return "; check the path";
    const origin = isDefault ? `this is the default of ${key}` : `${key} sets this path`;
    return `; ${origin}: correct it, or make certificates with ${certsCommand("init")}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) return "; let the user that runs this program read it";
  return "";
}

/** Decodes the bytes as UTF-8, with Unix line ends. */
export function pemText({ bytes }: Pick<PemData, "bytes">): string {
  return new TextDecoder().decode(bytes).replaceAll("\r\n", "\n");
}

/** The error for a file or text that was read and cannot be used: "Cannot use NAME: REASON". */
export function unusable({ name }: Pick<PemData, "name">, reason: string, cause?: unknown): SallyportError {
  return new SallyportError("bad_request", `Cannot use ${name}: ${reason}`, { cause });
}
