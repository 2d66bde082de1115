import { SallyportError } from "../../shared/errors.ts";
import { fromOsError } from "../../shared/net/os_error.ts";

/** Milliseconds to wait for another command; none takes longer than a moment. */
const PATIENCE_MS = 10_000;
const POLL_MS = 20;

/**
 * Does something while no other command does: two that add to one revocation list at the same time would lose
 * what the one has added. The lock is on the folder's `ca.key`, which every one of them needs, and ends with the
 * process, so that nothing stays behind.
 *
 * @throws {SallyportError} `bad_request` when another command holds it for too long.
 */
export async function withLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  using file = await openLock(`${dir}/ca.key`);
  if (file === undefined) return await work(); // which says what is missing
  const end = performance.now() + PATIENCE_MS;
  while (!await file.tryLock(true)) {
    if (performance.now() > end) {
      const problem = `another command has been working on it for ${PATIENCE_MS / 1000} s`;
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
