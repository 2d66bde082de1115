import { SallyportError } from "../errors.ts";
import { latin1 } from "../text/latin1.ts";
import { fromOsError } from "../net/os_error.ts";

/**
 * The configuration file to read: the given one, or the default one if it exists in the working directory.
 *
 * @param name Such as `agent.yaml`.
 * @param exists @default {asks the file system}
 * @returns undefined if there is none: then only defaults and the environment apply.
 */
export async function configFile(
  given: string | undefined,
  name: string,
  exists: (path: string) => Promise<boolean> = fileExists,
): Promise<string | undefined> {
  return given ?? (await exists(name) ? name : undefined);
}

/** Whether a file exists; also true when it exists but is not accessible, so that reading it gives the reason. */
export async function fileExists(path: string | URL): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
  }
}

/** The most bytes of a configuration: a longer one is another kind of file, or an endless device. */
const MAX_BYTES = 1_048_576;

/** Reads a file's bytes, at most `maxBytes` and one more, so that a longer file is recognised. */
export type ReadBytes = (path: string, maxBytes: number) => Promise<Uint8Array>;

/**
 * Reads a configuration file as text.
 *
 * @throws {SallyportError} `bad_request`, with the path, the reason and what to do.
 */
export async function readConfigText(path: string, readBytes: ReadBytes = readUpTo): Promise<string> {
  const fail = (where: string, reason: string, cause?: unknown) => {
    const message = `${where}: Cannot read the configuration file: ${reason}`;
    return new SallyportError("bad_request", message, { cause });
  };
  let bytes: Uint8Array;
  try {
    bytes = await readBytes(path, MAX_BYTES);
  } catch (error) {
    throw fail(path, reasonOf(error), error);
  }
  if (bytes.length > MAX_BYTES) throw fail(path, `it has more than ${MAX_BYTES} bytes`);
  const problem = encodingProblem(bytes);
  if (problem === undefined) return new TextDecoder().decode(bytes);
  throw fail(
    problem.offset === undefined ? path : `${path}:${placeOf(bytes, problem.offset)}`,
    problem.reason,
  );
}

async function readUpTo(path: string, maxBytes: number): Promise<Uint8Array> {
  using file = await Deno.open(path, { read: true });
  const bytes = new Uint8Array(maxBytes + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = await file.read(bytes.subarray(length));
    if (read === null) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

const ADVICE: Readonly<Record<string, string>> = {
  NotFound: "; check the path after --config",
  IsADirectory: "; give the path of a YAML file in it",
  PermissionDenied: "; let the user that runs this program read it",
};

function reasonOf(error: unknown): string {
  const words = fromOsError(error, "read it").message.replace("Cannot read it: ", "")
    // Deno adds its operation and the path, which the message already has.
    .replace(/: (open|readfile|read) '[^]*$/, "");
  return words + ((error instanceof Error && ADVICE[error.name]) || "");
}

/** Why bytes are not UTF-8 text. */
function encodingProblem(bytes: Uint8Array): { reason: string; offset?: number } | undefined {
  const begin = latin1(bytes.subarray(0, 64));
  if (/^(\xff\xfe|\xfe\xff)/.test(begin)) return { reason: "it is UTF-16; save it as UTF-8" };
  if (/^(\xef\xbb\xbf)?\s*-----BEGIN /.test(begin)) {
    return { reason: "it is a certificate or key (PEM); a configuration is YAML" };
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) return { reason: "it is a binary file; a configuration is YAML text", offset: zero };
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return undefined;
  } catch {
    return { reason: "it has bytes that are not UTF-8; save it as UTF-8", offset: endOfValid(bytes) };
  }
}

/** Finds the first byte that is not valid UTF-8, by bisection. */
function endOfValid(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    try {
      // As part of a stream: a truncated character is not invalid yet.
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      good = middle;
    } catch {
      bad = middle;
    }
  }
  // Back to the start of the invalid character: continuation bytes begin with the bits 10.
  while (
    good > 0 && (bytes[good]! & 0xc0) !== 0x80 && bytes[good - 1]! >= 0x80 &&
    !isWhole(bytes.subarray(0, good))
  ) {
    good--;
  }
  return good;
}

function isWhole(bytes: Uint8Array): boolean {
  return !new TextDecoder().decode(bytes).endsWith("\ufffd");
}

function placeOf(bytes: Uint8Array, offset: number): string {
  const lines = new TextDecoder().decode(bytes.subarray(0, offset)).split("\n");
  return `${lines.length}:${lines.at(-1)!.length + 1}`;
}
