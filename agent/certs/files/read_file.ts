import { SallyportError } from "../../../shared/errors.ts";
import { fromOsError } from "../../../shared/net/os_error.ts";

/** Size limit in bytes, far above any certificate, key or list here. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file; undefined when it does not exist.
 *
 * @throws {SallyportError} `bad_request` when it is too large, another code when the operating system reports an error.
 */
export async function readFileIfExists(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { size } = await Deno.stat(path);
    if (size <= MAX_BYTES) return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fromOsError(error, `read ${path}`);
  }
  throw new SallyportError("bad_request", `Cannot read ${path}: it is larger than ${MAX_BYTES} bytes`);
}

/**
 * Reads a file as text; undefined when it does not exist.
 *
 * @throws {SallyportError} As {@linkcode readFileIfExists}.
 */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  const bytes = await readFileIfExists(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
