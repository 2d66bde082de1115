import { isIP } from "node:net";
import { SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";
import { Authority } from "./authority.ts";

/** What {@linkcode initCertificates} makes. */
export interface InitOptions {
  /** Directory of the files; made, with those above it, for the owner alone when it is not there. */
  readonly dir: string;
  /** Name that the server's certificate carries, and that agents look for. @default "sallyport-server" */
  readonly serverName?: string;
  /** Common name of the client's certificate, as the server's logs show it. @default "sallyport-client" */
  readonly clientName?: string;
  /** Life of both certificates, in days; the authority lives ten years, or longer if they do. @default 825 */
  readonly days?: number;
}

const DEFAULTS = { serverName: "sallyport-server", clientName: "sallyport-client", days: 825 };
const AUTHORITY_DAYS = 3650;
const DAY_MS = 86_400_000;
const MAX_DAYS = 36_500;

interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/**
 * Makes a private authority, a certificate for the server and one for a client, and writes `ca.crt`, `ca.key`,
 * `server.crt`, `server.key`, `client.crt` and `client.key`. Only the owner can read the keys. Nothing is ever
 * overwritten, and after a failure nothing is left behind.
 *
 * @returns The paths of the files that were written.
 * @throws {SallyportError} `bad_request` when one of the files exists or an option cannot be, another code when
 * the operating system refuses.
 */
export async function initCertificates(options: InitOptions): Promise<{ files: string[] }> {
  const { dir, serverName, clientName, days } = { ...DEFAULTS, ...options };
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
    const problem = `current value of days is ${days}, 1 to ${MAX_DAYS} are allowed`;
    throw new SallyportError("bad_request", `Cannot make certificates: ${problem}`);
  }
  if (!/^[\w.*:-]+$/.test(serverName)) {
    const problem = `current server name is ${
      JSON.stringify(serverName)
    }, a host name or an address is needed`;
    throw new SallyportError("bad_request", `Cannot make certificates: ${problem}`);
  }
  const notAfter = new Date(Date.now() + days * DAY_MS);
  const authority = await Authority.create({
    notAfter: new Date(Date.now() + Math.max(days, AUTHORITY_DAYS) * DAY_MS),
  });
  const server = await authority.issue({
    commonName: serverName,
    usages: ["serverAuth"],
    alternativeNames: [{ type: isIP(serverName) === 0 ? "dns" : "ip", value: serverName }],
    notAfter,
  });
  const client = await authority.issue({ commonName: clientName, usages: ["clientAuth"], notAfter });
  const files = Object.entries({ ca: authority.files, server, client }).flatMap(([name, { cert, key }]) => [
    { path: `${dir}/${name}.crt`, text: cert, mode: 0o644 },
    { path: `${dir}/${name}.key`, text: key, mode: 0o600 },
  ]);
  await writeAll(dir, files);
  return { files: files.map(({ path }) => path) };
}

/** Writes all files or none. */
async function writeAll(dir: string, files: readonly NewFile[]): Promise<void> {
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
async function writeNew({ path, text, mode }: NewFile, written: string[]): Promise<void> {
  try {
    // Made with its mode, so that there is no moment at which others could open a key.
    using file = await Deno.open(path, { write: true, createNew: true, mode });
    written.push(path);
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
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
