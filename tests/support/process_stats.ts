import { sleep } from "../../shared/net/deadline.ts";
import { systemClock } from "../../shared/system_clock.ts";
import { eventually } from "./eventually.ts";

/** Milliseconds between two samples of the memory. */
const INTERVAL_MS = 250;

/** Why the memory of another process cannot be read on this system; undefined where it can. */
export const NO_PROCESS_MEMORY = Deno.build.os === "linux" ? undefined : "needs /proc/PID/status of Linux";

/**
 * Reads a file or folder of `/proc` by another program: Deno itself may only do so with all permissions.
 *
 * @returns "" for a process that has ended, and on systems without `/proc`.
 */
async function proc(program: "cat" | "ls", path: string): Promise<string> {
  if (NO_PROCESS_MEMORY !== undefined) return "";
  const command = new Deno.Command(program, { args: [`/proc/${path}`], stdin: "null", stderr: "null" });
  return new TextDecoder().decode((await command.output()).stdout);
}

/** Resident memory of a process, in MiB. @throws {Error} When it has ended. */
export async function residentMiB(pid: number): Promise<number> {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(await proc("cat", `${pid}/status`)) ?? [];
  if (kib === undefined) throw new Error(`Cannot read the memory of process ${pid}: it has ended`);
  return Number(kib) / 1024;
}

/** Samples the memory of processes until it is stopped, and keeps the highest values. */
export class MemoryWatch implements AsyncDisposable {
  /** MiB, by the names of the processes. */
  readonly highest: Record<string, number> = {};
  readonly #stopped = new AbortController();
  readonly #watching: Promise<unknown>;

  /** @param processes Process ids by name. */
  constructor(processes: Readonly<Record<string, number>>) {
    // `stop` reports a sample that failed: an earlier rejection would hide the error of the test itself.
    this.#watching = this.#watch(processes).then(() => undefined, (error: unknown) => error);
  }

  /**
   * Stops and returns the highest values.
   *
   * @throws {Error} When a process ended meanwhile.
   */
  async stop(): Promise<Readonly<Record<string, number>>> {
    this.#stopped.abort();
    const error = await this.#watching;
    if (error !== undefined) throw error;
    return this.highest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
  }

  async #watch(processes: Readonly<Record<string, number>>): Promise<void> {
    const { signal } = this.#stopped;
    const goesOn = () => sleep(systemClock, INTERVAL_MS, signal).then(() => true, () => false);
    while (await goesOn()) {
      for (const [name, pid] of Object.entries(processes)) {
        this.highest[name] = Math.max(this.highest[name] ?? 0, await residentMiB(pid));
      }
    }
  }
}

/** Open descriptors of a process; 0 on systems without `/proc`. */
export async function descriptorsOf(pid: number): Promise<number> {
  return (await proc("ls", `${pid}/fd`)).split("\n").length - 1;
}

/** Processor time of a process so far, in ticks of 10 ms; 0 on systems without `/proc`. */
export async function processorTicks(pid: number): Promise<number> {
  const fields = (await proc("cat", `${pid}/stat`)).split(") ").at(-1)!.split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** Waits until a process has at most `max` descriptors. */
export async function fewDescriptors(what: string, pid: number, max: number): Promise<void> {
  await eventually(`few descriptors in the ${what}`, async () => {
    const count = await descriptorsOf(pid);
    if (count > max) throw new Error(`${count} descriptors, expected at most ${max}`);
  });
}
