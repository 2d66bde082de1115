import { unzipSync } from "fflate";
import { type Target, TARGETS } from "./targets.ts";

/** Address of Deno's releases. The task `compile` may connect to this host only. */
export const RELEASES = "https://dl.deno.land/release";
/** Milliseconds for one download. */
const DOWNLOAD_TIMEOUT = 300_000;

/** A line of `sha256sum` or `shasum`: digest, mode, path. */
const SHA256SUM = /^([0-9a-f]{64}) [ *](.+)$/i;
/** Output of PowerShell's `Get-FileHash | Format-List`, which wraps long paths. */
const GET_FILE_HASH = /^Algorithm\s*:\s*SHA256\s+Hash\s*:\s*([0-9a-f]{64})\s+Path\s*:\s*(.+)$/is;

/** Name of the archive with Deno's runtime for executables ("denort") of a platform. */
export function archiveName(target: Target): string {
  return `denort-${TARGETS[target]}.zip`;
}

/**
 * Downloads Deno's runtime for executables, in the version of the running Deno, and checks the archive against the
 * published SHA-256 checksum.
 *
 * @param releases Address of the releases, without a slash at the end. @default {@linkcode RELEASES}
 * @returns The runtime, unpacked.
 * @throws {Error} When archive or checksum cannot be downloaded, when the checksum is for another file, or when the
 * archive does not match it.
 */
export async function fetchDenort(target: Target, releases = RELEASES): Promise<Uint8Array> {
  const name = archiveName(target);
  const url = `${releases}/v${Deno.version.deno}/${name}`;
  const expected = parseChecksum(new TextDecoder().decode(await download(`${url}.sha256sum`)), name);
  const archive = await download(url);
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", archive)).toHex();
  if (found !== expected) {
    throw new Error(`Cannot use ${url}: its SHA-256 is ${found}, the published one is ${expected}`);
  }
  const file = target.startsWith("windows") ? "denort.exe" : "denort";
  const denort = unzipSync(archive, { filter: (entry) => entry.name === file })[file];
  if (denort === undefined) throw new Error(`Cannot use ${url}: the archive has no ${file}`);
  return denort;
}

/**
 * Reads a published checksum in the format of `sha256sum` or PowerShell.
 *
 * @param name The archive it must belong to.
 * @returns SHA-256 in lower-case hexadecimal.
 * @throws {Error} When the text is neither, or is the checksum of another file.
 */
export function parseChecksum(text: string, name: string): string {
  const [, digest, path] = SHA256SUM.exec(text.trim()) ?? GET_FILE_HASH.exec(text.trim()) ?? [];
  if (digest === undefined || path === undefined) {
    throw new Error(
      `Cannot check ${name}: its checksum file has no checksum: ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  const file = path.replaceAll(/\s/g, "").split(/[\\/]/).at(-1);
  if (file !== name) throw new Error(`Cannot check ${name}: its checksum file is for ${file}`);
  return digest.toLowerCase();
}

async function download(url: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT) });
    if (response.ok) return await response.bytes();
    await response.body?.cancel();
    throw new Error(`the host answered ${response.status}`);
  } catch (error) {
    throw new Error(
      `Cannot download ${url}: ${
        reason(error)
      }; compile where it can be reached, or name a denort that you ` +
        "downloaded and checked in DENORT_BIN",
      { cause: error },
    );
  }
}

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${message}${cause}`;
}
