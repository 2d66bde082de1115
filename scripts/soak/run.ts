import { within } from "../../tests/support/within.ts";
import { claimPorts, type DemoPorts } from "../demo/ports.ts";
import { SeededRandom } from "./seeded_random.ts";
import { FAULTS, pause } from "./faults.ts";
import { RefusedError, WrongBytesError } from "./job.ts";
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
/** Milliseconds after that in which a job has to have ended. */
const STUCK = 5_000;
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
  /** Those of them during which a connection was cut, or the path was silent. */
  survived = 0;
  /** Jobs that failed because a program was gone, or were refused while the path was broken. */
  excused = 0;
  /** Bytes that were checked. */
  bytes = 0;
  /** Wrong bytes, and errors without a fault that explains them. */
  readonly problems: { readonly job: string; readonly reason: string }[] = [];

  /** All jobs that ended well. */
  get total(): number {
    return Object.values(this.done).reduce((sum, count) => sum + count, 0);
  }

  succeeded(job: string, bytes: number, wasHit: boolean): void {
    this.done[job] = (this.done[job] ?? 0) + 1;
    this.bytes += bytes;
    if (wasHit) this.survived++;
  }
}

/** When something was broken last, in milliseconds. */
class Outage {
  #isOn = false;
  #endedAt = -Infinity;

  begin(): void {
    this.#isOn = true;
  }

  end(): void {
    this.#isOn = false;
    this.#endedAt = performance.now();
  }

  /** Whether it may explain an error of something that began at `startedAt`. */
  touches(startedAt: number): boolean {
    return this.#isOn || this.#endedAt + AFTERMATH > startedAt;
  }
}

class Soak {
  readonly #results = new Results();
  readonly #random: SeededRandom;
  readonly #startedAt = performance.now();
  readonly #end: number;
  /** A program was gone, so that streams ended. */
  readonly #gone = new Outage();
  /** Anything was broken, so that the agent may refuse requests. */
  readonly #broken = new Outage();
  #lastFault = "none yet";
  #faults = 0;
  /** Single connections that were cut, and when something last happened to one. */
  #cuts = 0;
  #cutAt = -Infinity;

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
      const faults = [this.#break(this.#random.fork(0)), this.#cut(this.#random.fork(-1))];
      await Promise.all([...faults, ...workers]);
      leftovers = await findLeftovers(this.ports, this.programs);
    } finally {
      clearInterval(progress);
      clearInterval(measuring);
      await this.#printProgress();
      await this.programs.end();
    }
    const wrong = this.#results.problems.map(({ job, reason }) => `${job}: ${reason}`);
    if (this.#results.survived === 0) wrong.push("no transfer survived a cut");
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
        const bytes = await within(
          JOB_TIMEOUT + STUCK,
          job(context, random, signal),
          "the end of an aborted job",
        );
        this.#results.succeeded(name, bytes, this.#cutAt > startedAt);
      } catch (error) {
        this.#failed(name, error, startedAt);
        await pause(random.between(50, 300));
      }
    }
  }

  /** A stream ends with a program; a request may be refused while anything is broken. All else has to survive. */
  #failed(job: string, error: unknown, startedAt: number): void {
    const isRefused = error instanceof RefusedError;
    const excused = this.#gone.touches(startedAt) || isRefused && this.#broken.touches(startedAt);
    if (excused && !(error instanceof WrongBytesError)) this.#results.excused++;
    else this.#results.problems.push({ job, reason: `${error} (last fault: ${this.#lastFault})` });
  }

  /** Injects one fault after another in the first two thirds of the time. */
  async #break(random: SeededRandom): Promise<void> {
    const last = this.#startedAt + (this.#end - this.#startedAt) * 2 / 3;
    for (;;) {
      await pause(random.between(1_500, 6_000));
      if (performance.now() > last) return;
      const { name, endsStreams, act } = random.pick(FAULTS);
      this.#lastFault = `${name} at ${this.#seconds()} s`;
      this.#faults++;
      const outages = endsStreams ? [this.#gone, this.#broken] : [this.#broken];
      for (const outage of outages) outage.begin();
      if (!endsStreams) this.#cutAt = performance.now();
      await act({ programs: this.programs, relay: this.relay }, random);
      await this.programs.ready();
      for (const outage of outages) outage.end();
    }
  }

  /** Cuts one connection after another, all the time. */
  async #cut(random: SeededRandom): Promise<void> {
    while (performance.now() < this.#end) {
      await pause(random.between(100, 1_000));
      if (!this.relay.cutOne((list) => random.pick(list))) continue;
      this.#cuts++;
      this.#cutAt = performance.now();
    }
  }

  async #printProgress(): Promise<void> {
    const figures = Object.entries(await this.programs.measure());
    const memory = figures.map(([name, mib]) => `${name} ${mib} MiB`).join(", ");
    const { done, total, survived, excused, bytes, problems } = this.#results;
    const kinds = Object.entries(done).map(([name, count]) => `${name} ${count}`).join(", ");
    this.options.print(
      `${this.#seconds()} s: ${total} done, ${survived} of them survived some of ${this.#cuts} cuts, ` +
        `${excused} failed by ${this.#faults} faults, ${problems.length} wrong; ` +
        `${Math.round(bytes / 1e6)} MB checked; ${memory}; ` +
        `last fault: ${this.#lastFault} (${kinds})`,
    );
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 1000);
  }
}
