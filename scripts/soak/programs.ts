import { descriptorsOf, residentMiB } from "../../tests/support/process_memory.ts";
import { type Child, startChild } from "../demo/child.ts";
import { type DemoFiles, writeDemoFiles } from "../demo/files.ts";
import type { DemoPorts } from "../demo/ports.ts";
import { waitForTraffic } from "../demo/traffic.ts";
import { rise, type Sample } from "./slope.ts";

/** Milliseconds for a program to stop when it is asked to, and for traffic to pass again. */
const STOP_WITHIN = 20_000;
const READY_WITHIN = 60_000;
/** Seconds of a program's life in which its memory may grow: caches, compiled code, buffers kept for reuse. */
const WARM_UP = 20;
/** Seconds of samples after it that are needed to judge. */
const ENOUGH = 30;
/** By how much the regression line of the memory may rise over the time that is looked at, as a part of its mean. */
const MOST_RISE = 0.4;

/** Which program. */
export type ProgramName = "server" | "agent";

interface Running {
  child: Child;
  startedAt: number;
  /** MiB. */
  memory: Sample[];
  /** How many it had when the first traffic had passed; 0 before that. */
  descriptors: number;
}

/** The real server and agent of a soak, which may be ended and started again. */
export class Programs {
  readonly #running = new Map<ProgramName, Running>();
  readonly #problems: string[] = [];

  private constructor(readonly dir: string, readonly ports: DemoPorts, readonly files: DemoFiles) {}

  /** Writes certificates and configuration and starts both. */
  static async start(
    dir: string,
    ports: DemoPorts,
    relayPort: number,
    targets: readonly number[],
  ): Promise<Programs> {
    const allow = targets.map((port) => `127.0.0.1:${port}`);
    const files = await writeDemoFiles(dir, ports, {
      agent: { server_port: relayPort },
      server: { targets: { allow } },
    });
    const programs = new Programs(dir, ports, files);
    await programs.launch("server");
    await programs.launch("agent");
    await programs.ready();
    return programs;
  }

  /** What was wrong with programs so far: exits, memory. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Starts a program that does not run. */
  async launch(name: ProgramName): Promise<void> {
    const child = await startChild(name, ["--config", this.files[name]], `${this.dir}/${name}.log`);
    this.#running.set(name, { child, startedAt: performance.now(), memory: [], descriptors: 0 });
  }

  /** Waits until a request passes through both. */
  async ready(): Promise<void> {
    const { proxyPort, originPort } = this.ports;
    const late = AbortSignal.timeout(READY_WITHIN);
    await waitForTraffic(proxyPort, `http://127.0.0.1:${originPort}/`, late);
    for (const running of this.#running.values()) {
      running.descriptors ||= await descriptorsOf(running.child.pid);
    }
  }

  /** Kills a program as a crash would. */
  async kill(name: ProgramName): Promise<void> {
    const { child } = this.#take(name);
    child.kill();
    await child.ended;
  }

  /** Asks a program to stop, and notes when it does not do so in order. */
  async stop(name: ProgramName): Promise<void> {
    const { child } = this.#take(name);
    await child.stop(STOP_WITHIN);
    const { code, signal } = await child.ended;
    if (code !== 0) {
      this.#problems.push(`the ${name} stopped with ${signal ?? code}: ${await child.output()}`);
    }
  }

  /** Looks at the memory of both; tells MiB by name. A program that ended by itself is a problem. */
  async measure(): Promise<Record<string, number>> {
    const now: Record<string, number> = {};
    for (const [name, { child, memory, startedAt }] of this.#running) {
      if (child.isOver) {
        this.#running.delete(name);
        this.#problems.push(`the ${name} ended by itself: ${await child.output()}`);
        continue;
      }
      const mib = await residentMiB(child.pid).catch(() => undefined);
      if (mib === undefined) continue; // it ends right now
      memory.push([(performance.now() - startedAt) / 1000, mib]);
      now[name] = Math.round(mib);
    }
    return now;
  }

  /** Descriptors of a program now, and when its first traffic had passed. */
  async descriptors(name: ProgramName): Promise<{ now: number; atFirst: number }> {
    const { child, descriptors } = this.#running.get(name)!;
    return { now: await descriptorsOf(child.pid), atFirst: descriptors };
  }

  /** Ends what still runs, in order. */
  async end(): Promise<void> {
    for (const name of ["agent", "server"] as const) {
      if (this.#running.has(name)) await this.stop(name);
    }
  }

  #take(name: ProgramName): Running {
    const running = this.#running.get(name)!;
    this.#running.delete(name);
    this.#judgeMemory(name, running);
    return running;
  }

  #judgeMemory(name: ProgramName, { memory }: Running): void {
    const settled = memory.filter(([seconds]) => seconds >= WARM_UP);
    if (settled.length < 2 || settled.at(-1)![0] - settled[0]![0] < ENOUGH) return;
    const rose = rise(settled);
    if (rose <= MOST_RISE) return;
    const [first, last] = [settled[0]![1], settled.at(-1)![1]].map(Math.round);
    this.#problems.push(
      `the memory of the ${name} rose by ${Math.round(rose * 100)} % of its mean: ${first} to ${last} MiB`,
    );
  }
}
