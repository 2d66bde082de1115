import { SallyportError } from "../errors.ts";
import { fromOsError } from "../net/os_error.ts";
import type { KeptText, PemSource } from "./identity_source.ts";

/** What a file or a variable held, and what to call it in messages. */
export interface Material {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/**
 * Reads a file, or takes the text that stands in its place.
 *
 * @param what What it is, for messages.
 * @throws {SallyportError} `bad_request` when the file cannot be read.
 */
export async function readMaterial(source: PemSource | KeptText, what: string): Promise<Material> {
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
    throw new SallyportError("bad_request", message, { cause: error });
  }
}

/** The text of what should be one, with the line ends of Unix. */
export function textOf({ bytes }: Material): string {
  return new TextDecoder().decode(bytes).replaceAll("\r\n", "\n");
}

/** The error of what was read and cannot be used. */
export function unusable({ name }: Pick<Material, "name">, problem: string, cause?: unknown): SallyportError {
  return new SallyportError("bad_request", `Cannot use ${name}: ${problem}`, { cause });
}
