import { SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { type FileText, writeWhole } from "./new_files.ts";

/** A file that is written beside the one whose place it will take. */
interface Staged {
  readonly path: string;
  readonly temporary: string;
}

/** Bits of a mode that a key's file may have: those of its owner and its group. */
const KEY_MODE = 0o770;

/**
 * Gives files another text, each in one step: who reads one gets the old text or the new, whole. All are written
 * to the disk first and then take their places, in the order given, so that as little time as can be lies between
 * the first and the last; when one cannot be written, none is changed. A file that was there before keeps its
 * owner and its mode, except that a key (`mode` 0o600) never stays open to everybody.
 *
 * @throws {SallyportError} When the operating system refuses.
 */
export async function replaceFiles(files: readonly FileText[]): Promise<void> {
  const staged: Staged[] = [];
  try {
    for (const file of files) await stage(file, staged);
    while (staged.length > 0) {
      await takePlace(staged[0]!);
      staged.shift();
    }
  } finally {
    for (const { temporary } of staged) await Deno.remove(temporary);
  }
}

async function stage({ path, text, mode }: FileText, staged: Staged[]): Promise<void> {
  try {
    const before = await statOf(path);
    // Of a link it is the file behind it that others read.
    const target = before === undefined ? path : await Deno.realPath(path);
    const temporary = `${target}.new-${crypto.getRandomValues(new Uint8Array(4)).toHex()}`;
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    staged.push({ path: target, temporary });
    if (Deno.build.os !== "windows") await keepAccess(path, temporary, before, mode);
    await writeWhole(file, text);
  } catch (error) {
    throw fromOsError(error, `write ${path}`);
  }
}

async function keepAccess(
  path: string,
  temporary: string,
  before: Deno.FileInfo | undefined,
  mode: number,
): Promise<void> {
  const allowed = mode === 0o600 ? KEY_MODE : 0o777;
  await Deno.chmod(temporary, before === undefined ? mode : before.mode! & allowed);
  const { uid, gid } = await Deno.stat(temporary);
  if (before === undefined || (before.uid === uid && before.gid === gid)) return;
  try {
    await Deno.chown(temporary, before.uid, before.gid);
  } catch (cause) {
    const problem =
      `the new file cannot belong to user ${before.uid} and group ${before.gid}, as the old one does`;
    const message = `Cannot write ${path}: ${problem}; run this as that user, or as root`;
    throw new SallyportError("bad_request", message, { cause });
  }
}

async function takePlace({ path, temporary }: Staged): Promise<void> {
  try {
    await Deno.rename(temporary, path);
    await syncFolderOf(path);
  } catch (error) {
    throw fromOsError(error, `write ${path}`);
  }
}

/** Without it, a name may still lead to the old text after a power cut. */
async function syncFolderOf(path: string): Promise<void> {
  if (Deno.build.os === "windows") return; // it opens no folders
  using folder = await Deno.open(path.replace(/[^/]*$/, ".")); // "a/." is "a", "." is "."
  await folder.sync();
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
