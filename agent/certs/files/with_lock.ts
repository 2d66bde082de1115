import { SallyportError } from "../../../shared/errors.ts";
import { fromOsError } from "../../../shared/net/os_error.ts";

/** Milliseconds to wait for another command; each takes far less. */
const LOCK_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

/**
 * Runs `work` while no other command runs in the folder: of two that add to the revocation list at the same time, one
 * would lose its entries. The lock is on `ca.key`, which every command needs, and ends with the process, so that no
 * lock file is left behind.
 *
 * @throws {SallyportError} `bad_request` when another command holds it for too long.
 */
export async function withLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  using file = await openLock(`${dir}/ca.key`);
  if (file === undefined) return await work(); // reports the missing file
  const end = performance.now() + LOCK_TIMEOUT_MS;
  while (!await file.tryLock(true)) {
    if (performance.now() > end) {
      const problem = `another command has been using it for ${LOCK_TIMEOUT_MS / 1000} s`;
      throw new SallyportError("bad_request", `Cannot use the CA in ${dir}: ${problem}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return await work();
}

async function openLock(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fromOsError(error, `read ${path}`);
  }
}
