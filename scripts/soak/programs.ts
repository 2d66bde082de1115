import { descriptorsOf, residentMiB } from "../../tests/support/process_stats.ts";
import { type Child, startChild } from "../demo/child.ts";
import { type DemoFiles, writeDemoFiles } from "../demo/files.ts";
import type { DemoPorts } from "../demo/ports.ts";
import { waitForAnswer } from "../demo/wait_for_answer.ts";
import { relativeRise, type Sample } from "./trend.ts";

/** Milliseconds for a program to stop after SIGTERM, and for traffic to pass again. */
const STOP_TIMEOUT = 20_000;
const READY_TIMEOUT = 60_000;
/** Seconds of a program's life in which its memory may grow: caches, compiled code, buffers kept for reuse. */
const WARM_UP_S = 20;
/** Seconds of samples after it that a result needs. */
const MIN_SAMPLED_S = 30;
/** How much the regression line of the memory may rise over the sampled time, as a part of its mean. */
const MAX_RISE = 0.4;

/** A program of the soak. */
export type ProgramName = "server" | "agent";

interface Running {
  child: Child;
  startedAt: number;
  /** MiB. */
  memory: Sample[];
  /** Count after the first traffic; 0 before that. */
  descriptors: number;
}

/** The real server and agent of a soak, which can be stopped and started again. */
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

  /** Problems of the programs so far: exits, memory. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Starts a program that is not running. */
  async launch(name: ProgramName): Promise<void> {
    const child = await startChild(name, ["--config", this.files[name]], `${this.dir}/${name}.log`);
    this.#running.set(name, { child, startedAt: performance.now(), memory: [], descriptors: 0 });
  }

  /** Waits until a request passes through both. */
  async ready(): Promise<void> {
    const { proxyPort, originPort } = this.ports;
    const deadline = AbortSignal.timeout(READY_TIMEOUT);
    await waitForAnswer(proxyPort, `http://127.0.0.1:${originPort}/`, deadline);
    for (const running of this.#running.values()) {
      running.descriptors ||= await descriptorsOf(running.child.pid);
    }
  }

  /** Kills a program, as in a crash. */
  async kill(name: ProgramName): Promise<void> {
    const { child } = this.#take(name);
    child.kill();
    await child.ended;
  }

  /** Stops a program with SIGTERM; an exit code other than 0 is a problem. */
  async stop(name: ProgramName): Promise<void> {
    const { child } = this.#take(name);
    await child.stop(STOP_TIMEOUT);
    const { code, signal } = await child.ended;
    if (code !== 0) {
      this.#problems.push(`the ${name} stopped with ${signal ?? code}: ${await child.output()}`);
    }
  }

  /** Measures the memory of both in MiB, by name. A program that ended on its own is a problem. */
  async measure(): Promise<Record<string, number>> {
    const now: Record<string, number> = {};
    for (const [name, { child, memory, startedAt }] of this.#running) {
      if (child.isOver) {
        this.#running.delete(name);
        this.#problems.push(`the ${name} ended on its own: ${await child.output()}`);
        continue;
      }
      const mib = await residentMiB(child.pid).catch(() => undefined);
      if (mib === undefined) continue; // it is ending
      memory.push([(performance.now() - startedAt) / 1000, mib]);
      now[name] = Math.round(mib);
    }
    return now;
  }

  /** Descriptors of a program now and after its first traffic. */
  async descriptors(name: ProgramName): Promise<{ now: number; atFirst: number }> {
    const { child, descriptors } = this.#running.get(name)!;
    return { now: await descriptorsOf(child.pid), atFirst: descriptors };
  }

  /** Stops what is still running, the agent first. */
  async end(): Promise<void> {
    for (const name of ["agent", "server"] as const) {
      if (this.#running.has(name)) await this.stop(name);
    }
  }

  #take(name: ProgramName): Running {
    const running = this.#running.get(name)!;
    this.#running.delete(name);
    this.#checkMemory(name, running);
    return running;
  }

  #checkMemory(name: ProgramName, { memory }: Running): void {
    const settled = memory.filter(([seconds]) => seconds >= WARM_UP_S);
    if (settled.length < 2 || settled.at(-1)![0] - settled[0]![0] < MIN_SAMPLED_S) return;
    const rose = relativeRise(settled);
    if (rose <= MAX_RISE) return;
    const [first, last] = [settled[0]![1], settled.at(-1)![1]].map(Math.round);
    this.#problems.push(
      `the memory of the ${name} rose by ${Math.round(rose * 100)} % of its mean: ${first} to ${last} MiB`,
    );
  }
}
