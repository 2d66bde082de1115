import { SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";

/** A file and what shall stand in it. */
export interface FileText {
  readonly path: string;
  readonly text: string;
  /** Who may read and write it: 0o600 for keys. */
  readonly mode: number;
}

/**
 * Writes files that are not there yet, all or none; makes the folder, for the owner alone, when it is not there.
 *
 * @throws {SallyportError} `bad_request` when one of the files exists, another code when the operating system
 * refuses.
 */
export async function writeNewFiles(dir: string, files: readonly FileText[]): Promise<void> {
  for (const { path } of files) await requireAbsent(path);
  const madeDir = await makeDir(dir);
  const written: string[] = [];
  try {
    for (const file of files) {
      await writeNew(file, written);
    }
  } catch (error) {
    for (const path of written) await Deno.remove(path);
    if (madeDir) await Deno.remove(dir);
    throw error;
  }
}

async function requireAbsent(path: string): Promise<void> {
  try {
    // Not `stat`: a link that leads nowhere is something too.
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw fromOsError(error, `write ${path}`);
  }
  throw existing(path);
}

/** Makes the directory unless it is there; tells whether it did. */
async function makeDir(dir: string): Promise<boolean> {
  try {
    if (await isDirectory(dir)) return false;
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    return true;
  } catch (error) {
    throw fromOsError(error, `make the directory ${dir}`);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Writes a file that nobody else may have made meanwhile, and notes it in `written` as soon as it is there. */
async function writeNew({ path, text, mode }: FileText, written: string[]): Promise<void> {
  try {
    // Made with its mode, so that there is no moment at which others could open a key.
    using file = await Deno.open(path, { write: true, createNew: true, mode });
    written.push(path);
    await writeWhole(file, text);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw existing(path);
    throw fromOsError(error, `write ${path}`);
  }
}

function existing(path: string): SallyportError {
  return new SallyportError(
    "bad_request",
    `Cannot write ${path}: it exists already, and nothing is overwritten`,
  );
}

/** Writes a text to a file and waits until the disk has it. */
export async function writeWhole(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}
