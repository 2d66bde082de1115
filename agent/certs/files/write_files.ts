import { certsCommand } from "../../../shared/cli/command_line.ts";
import { SallyportError } from "../../../shared/errors.ts";
import { fromOsError } from "../../../shared/net/os_error.ts";

/** A file to write. */
export interface FileText {
  readonly path: string;
  readonly text: string;
  /** Its permissions: 0o600 for keys. */
  readonly mode: number;
}

/**
 * Creates files, all or none, and their folder, readable only by its owner, if it does not exist.
 *
 * @throws {SallyportError} `bad_request` when one of the files exists, another code when the operating system
 * reports an error.
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
    // Not `stat`: a dangling link must not be overwritten either.
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw cannotWrite(error, `write ${path}`);
  }
  throw existing(path);
}

/** Creates the folder if it does not exist, and tells whether it did. */
async function makeDir(dir: string): Promise<boolean> {
  try {
    if (await isDirectory(dir)) return false;
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    return true;
  } catch (error) {
    throw cannotWrite(error, `create the folder ${dir}`);
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

/** Creates a file, which must not exist, and adds it to `written` as soon as it exists. */
async function writeNew({ path, text, mode }: FileText, written: string[]): Promise<void> {
  try {
    // Created with its mode, so that other users can never open a key.
    using file = await Deno.open(path, { write: true, createNew: true, mode });
    written.push(path);
    await writeWhole(file, text);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw existing(path);
    throw cannotWrite(error, `write ${path}`);
  }
}

/** The task that runs the agent may not write; the task `certs` may. */
function cannotWrite(error: unknown, doing: string): SallyportError {
  if (!(error instanceof Deno.errors.NotCapable)) return fromOsError(error, doing);
  const message = `Cannot ${doing}: this task may write no files; use ${certsCommand("…")}`;
  return new SallyportError("internal", message, { cause: error });
}

function existing(path: string): SallyportError {
  return new SallyportError(
    "bad_request",
    `Cannot write ${path}: it already exists and is never overwritten; use another name or folder`,
  );
}

/** Writes a text to a file and waits until it is on disk. */
async function writeWhole(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}

/** A temporary file and the file that it will replace. */
interface Staged {
  readonly path: string;
  readonly temporary: string;
}

/** Permission bits that a key file may have: those of its owner and its group. */
const KEY_MODE = 0o770;

/**
 * Replaces files, each atomically: readers get either the old text or the new one. All are written to temporary files
 * first and then renamed in the order given, so that the time between the first and the last is short; when one cannot
 * be written, none is changed. A file that existed keeps its owner and mode, except that a key (`mode` 0o600) never
 * stays open to all users.
 *
 * @throws {SallyportError} When the operating system reports an error.
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
    // Of a link, the file behind it is replaced.
    const target = before === undefined ? path : await Deno.realPath(path);
    const temporary = `${target}.new-${crypto.getRandomValues(new Uint8Array(4)).toHex()}`;
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    staged.push({ path: target, temporary });
    if (Deno.build.os !== "windows") await keepAccess(path, temporary, before, mode);
    await writeWhole(file, text);
  } catch (error) {
    throw cannotWrite(error, `write ${path}`);
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
    const problem = `the owner cannot be set to user ${before.uid} and group ${before.gid}, as before`;
    const message = `Cannot write ${path}: ${problem}; run this as that user, or as root`;
    throw new SallyportError("bad_request", message, { cause });
  }
}

async function takePlace({ path, temporary }: Staged): Promise<void> {
  try {
    await Deno.rename(temporary, path);
    await syncFolderOf(path);
  } catch (error) {
    throw cannotWrite(error, `write ${path}`);
  }
}

/** Without this, the old text may come back after a power failure. */
async function syncFolderOf(path: string): Promise<void> {
  if (Deno.build.os === "windows") return; // folders cannot be opened there
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
