import { SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";

/** No certificate, key or list of ours comes near it, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads a file; undefined when there is none.
 *
 * @throws {SallyportError} `bad_request` when it is too long, another code when the operating system refuses.
 */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { size } = await Deno.stat(path);
    if (size <= MAX_BYTES) return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fromOsError(error, `read ${path}`);
  }
  throw new SallyportError("bad_request", `Cannot read ${path}: it has more than ${MAX_BYTES} bytes`);
}

/**
 * Reads a file as text; undefined when there is none.
 *
 * @throws {SallyportError} As {@linkcode readIfThere}.
 */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  const bytes = await readIfThere(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
