import { eventually } from "./eventually.ts";

/** Why the memory of another process cannot be read here; undefined where it can. */
export const NO_PROCESS_MEMORY = Deno.build.os === "linux" ? undefined : "needs /proc/PID/status of Linux";

/** What a program says about /proc: this one may not read there, short of being allowed everything. */
async function output(program: string, path: string): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: [path], stdin: "null", stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

/** Resident memory of a process, in MiB. */
export async function residentMiB(pid: number): Promise<number> {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(await output("cat", `/proc/${pid}/status`)) ?? [];
  if (kib === undefined) throw new Error(`Cannot read the memory of process ${pid}: it has ended`);
  return Number(kib) / 1024;
}

/** Looks at the memory of processes until it is stopped, and remembers the highest. */
export class MemoryWatch implements Disposable {
  /** MiB, by the names of the processes. */
  readonly highest: Record<string, number> = {};
  readonly #timer: ReturnType<typeof setInterval>;
  #looking: Promise<unknown> = Promise.resolve();

  /** @param processes Process ids by name. */
  constructor(processes: Readonly<Record<string, number>>) {
    this.#timer = setInterval(() => this.#looking = this.#look(processes), 250);
  }

  /** Ends the watch and returns the highest figures. */
  async stop(): Promise<Readonly<Record<string, number>>> {
    this[Symbol.dispose]();
    await this.#looking;
    return this.highest;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(processes: Readonly<Record<string, number>>): Promise<void> {
    for (const [name, pid] of Object.entries(processes)) {
      this.highest[name] = Math.max(this.highest[name] ?? 0, await residentMiB(pid));
    }
  }
}

/** Open descriptors of a process. */
export async function descriptorsOf(pid: number): Promise<number> {
  return (await output("ls", `/proc/${pid}/fd`)).split("\n").length - 1;
}

/** Waits until a process has at most that many descriptors. */
export async function fewDescriptors(what: string, pid: number, most: number): Promise<void> {
  await eventually(`few descriptors in the ${what}`, async () => {
    const count = await descriptorsOf(pid);
    if (count > most) throw new Error(`${count} descriptors, ${most} were expected`);
  });
}
