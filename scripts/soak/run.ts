import { claimPorts, type DemoPorts } from "../demo/ports.ts";
import { SeededRandom } from "./seeded_random.ts";
import { FAULTS, pause } from "./faults.ts";
import { WrongBytesError } from "./job.ts";
import { JOBS } from "./jobs.ts";
import { startOrigins, type Targets } from "./origins.ts";
import { Programs } from "./programs.ts";
import { Relay } from "./relay.ts";
import { findLeftovers, findPortsInUse } from "./leftovers.ts";

/** How a soak is run. */
export interface SoakOptions {
  /** How long traffic and faults last. */
  minutes: number;
  /** Of the random choices. */
  seed: number;
  /** Prints a line of progress. */
  print(line: string): void;
}

const DIR = `${import.meta.dirname}/../../.soak`;
const WORKERS = 12;
/** Milliseconds after which a job is aborted: longer than any fault takes to be detected and repaired. */
const JOB_TIMEOUT = 40_000;
/** Milliseconds after a repair in which errors still count as effects of the fault. */
const AFTERMATH = 2_000;
const LINE_EVERY = 10_000;
const MEASURE_EVERY = 2_000;

/**
 * Runs traffic of all kinds through the real programs while things break, and checks the results.
 *
 * @returns All problems; empty after a good run.
 */
export async function runSoak(options: SoakOptions): Promise<string[]> {
  const ports = claimPorts({ proxyPort: 0, serverPort: 0, consolePort: 0, healthPort: 0, originPort: 0 });
  await Deno.mkdir(DIR, { recursive: true });
  const relay = new Relay(0, ports.serverPort);
  const targets = { httpPort: ports.originPort, tcpPort: freePort(), resetPort: freePort() };
  const origins = startOrigins(targets);
  let problems: string[];
  try {
    const programs = await Programs.start(DIR, ports, relay.port, Object.values(targets));
    problems = await new Soak(options, ports, targets, programs, relay).run();
  } finally {
    await relay.stop();
    await origins.stop();
  }
  return [...problems, ...findPortsInUse([...Object.values(ports), relay.port, ...Object.values(targets)])];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Counts how the jobs of a soak ended. */
class Results {
  /** Jobs that ended well with the right bytes, by kind. */
  readonly done: Record<string, number> = {};
  /** Jobs that failed during or just after a fault. */
  excused = 0;
  /** Bytes that were checked. */
  bytes = 0;
  /** Wrong bytes, and errors without a fault. */
  readonly problems: { readonly job: string; readonly reason: string }[] = [];

  /** All jobs that ended well. */
  get total(): number {
    return Object.values(this.done).reduce((sum, count) => sum + count, 0);
  }

  succeeded(job: string, bytes: number): void {
    this.done[job] = (this.done[job] ?? 0) + 1;
    this.bytes += bytes;
  }
}

class Soak {
  readonly #results = new Results();
  readonly #random: SeededRandom;
  readonly #startedAt = performance.now();
  readonly #end: number;
  /** Whether something is broken now, when the last repair ended, and what was broken. */
  #broken = false;
  #repairedAt = -Infinity;
  #lastFault = "none yet";
  #faults = 0;

  constructor(
    readonly options: SoakOptions,
    readonly ports: DemoPorts,
    readonly targets: Targets,
    readonly programs: Programs,
    readonly relay: Relay,
  ) {
    this.#random = new SeededRandom(options.seed);
    this.#end = this.#startedAt + options.minutes * 60_000;
  }

  async run(): Promise<string[]> {
    const progress = setInterval(() => void this.#printProgress(), LINE_EVERY);
    const measuring = setInterval(() => void this.programs.measure(), MEASURE_EVERY);
    let leftovers: string[] = [];
    try {
      const workers = Array.from({ length: WORKERS }, (_, index) => this.#work(this.#random.fork(index + 1)));
      await Promise.all([this.#break(this.#random.fork(0)), ...workers]);
      leftovers = await findLeftovers(this.ports, this.programs);
    } finally {
      clearInterval(progress);
      clearInterval(measuring);
      await this.#printProgress();
      await this.programs.end();
    }
    const wrong = this.#results.problems.map(({ job, reason }) => `${job}: ${reason}`);
    return [...wrong, ...this.programs.problems, ...leftovers];
  }

  /** Runs one job after another. */
  async #work(random: SeededRandom): Promise<void> {
    while (performance.now() < this.#end) {
      const [name, job] = random.pick(JOBS);
      const startedAt = performance.now();
      const signal = AbortSignal.timeout(JOB_TIMEOUT);
      const context = { proxyPort: this.ports.proxyPort, ...this.targets };
      try {
        this.#results.succeeded(name, await job(context, random, signal));
      } catch (error) {
        this.#failed(name, error, startedAt);
        await pause(random.between(50, 300));
      }
    }
  }

  #failed(job: string, error: unknown, startedAt: number): void {
    const excused = this.#broken || this.#repairedAt + AFTERMATH > startedAt;
    if (excused && !(error instanceof WrongBytesError)) this.#results.excused++;
    else this.#results.problems.push({ job, reason: `${error} (last fault: ${this.#lastFault})` });
  }

  /** Injects one fault after another in the first two thirds of the time; the rest must be free of errors. */
  async #break(random: SeededRandom): Promise<void> {
    const last = this.#startedAt + (this.#end - this.#startedAt) * 2 / 3;
    for (;;) {
      await pause(random.between(1_500, 6_000));
      if (performance.now() > last) return;
      const [name, fault] = random.pick(FAULTS);
      this.#lastFault = `${name} at ${this.#seconds()} s`;
      this.#faults++;
      this.#broken = true;
      await fault({ programs: this.programs, relay: this.relay }, random);
      await this.programs.ready();
      this.#repairedAt = performance.now();
      this.#broken = false;
    }
  }

  async #printProgress(): Promise<void> {
    const figures = Object.entries(await this.programs.measure());
    const memory = figures.map(([name, mib]) => `${name} ${mib} MiB`).join(", ");
    const { done, total, excused, bytes, problems } = this.#results;
    const kinds = Object.entries(done).map(([name, count]) => `${name} ${count}`).join(", ");
    this.options.print(
      `${this.#seconds()} s: ${total} done, ${excused} failed by ${this.#faults} faults, ${problems.length} wrong; ` +
        `${Math.round(bytes / 1e6)} MB checked; ${memory}; ` +
        `last fault: ${this.#lastFault} (${kinds})`,
    );
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 1000);
  }
}
