import { claimPorts, type DemoPorts } from "../demo/ports.ts";
import { Dice } from "./dice.ts";
import { FAULTS, pause } from "./faults.ts";
import { WrongBytes } from "./job.ts";
import { JOBS } from "./jobs.ts";
import { startOrigins, type Targets } from "./origins.ts";
import { Programs } from "./programs.ts";
import { Relay } from "./relay.ts";
import { requireFree, requireQuiet } from "./quiet.ts";
import { Tally } from "./tally.ts";

/** How a soak is run. */
export interface SoakOptions {
  /** How long traffic and faults go on. */
  minutes: number;
  /** What all choices come from. */
  seed: number;
  /** Takes a line for whoever watches. */
  say(line: string): void;
}

const DIR = `${import.meta.dirname}/../../.soak`;
const WORKERS = 12;
/** Milliseconds after which a job is given up: longer than any fault takes to be noticed and mended. */
const JOB_TIMEOUT = 40_000;
/** Milliseconds after the end of a fault in which a failure is still its own. */
const AFTERMATH = 2_000;
const LINE_EVERY = 10_000;
const MEASURE_EVERY = 2_000;

/**
 * Runs traffic of all kinds through the real programs while things break, and judges.
 *
 * @returns What was wrong; empty after a good run.
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
  return [...problems, ...requireFree([...Object.values(ports), relay.port, ...Object.values(targets)])];
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

class Soak {
  readonly #tally = new Tally();
  readonly #dice: Dice;
  readonly #startedAt = performance.now();
  readonly #end: number;
  /** Whether something is broken, when that last ended, and what it was. */
  #broken = false;
  #mendedAt = -Infinity;
  #lastFault = "none yet";
  #faults = 0;

  constructor(
    readonly options: SoakOptions,
    readonly ports: DemoPorts,
    readonly targets: Targets,
    readonly programs: Programs,
    readonly relay: Relay,
  ) {
    this.#dice = new Dice(options.seed);
    this.#end = this.#startedAt + options.minutes * 60_000;
  }

  async run(): Promise<string[]> {
    const lines = setInterval(() => void this.#line(), LINE_EVERY);
    const measuring = setInterval(() => void this.programs.measure(), MEASURE_EVERY);
    let quiet: string[] = [];
    try {
      const workers = Array.from({ length: WORKERS }, (_, index) => this.#work(this.#dice.fork(index + 1)));
      await Promise.all([this.#break(this.#dice.fork(0)), ...workers]);
      quiet = await requireQuiet(this.ports, this.programs);
    } finally {
      clearInterval(lines);
      clearInterval(measuring);
      await this.#line();
      await this.programs.end();
    }
    const wrong = this.#tally.wrong.map(({ job, reason }) => `${job}: ${reason}`);
    return [...wrong, ...this.programs.problems, ...quiet];
  }

  /** One worker: job after job. */
  async #work(dice: Dice): Promise<void> {
    while (performance.now() < this.#end) {
      const [name, job] = dice.pick(JOBS);
      const startedAt = performance.now();
      const signal = AbortSignal.timeout(JOB_TIMEOUT);
      const world = { proxyPort: this.ports.proxyPort, ...this.targets };
      try {
        this.#tally.succeeded(name, await job(world, dice, signal));
      } catch (error) {
        this.#failed(name, error, startedAt);
        await pause(dice.between(50, 300));
      }
    }
  }

  #failed(job: string, error: unknown, startedAt: number): void {
    const excused = this.#broken || this.#mendedAt + AFTERMATH > startedAt;
    if (excused && !(error instanceof WrongBytes)) this.#tally.excused++;
    else this.#tally.wrong.push({ job, reason: `${error} (last fault: ${this.#lastFault})` });
  }

  /** Breaks things one after the other, in the first two thirds of the time; the rest shows that all is well. */
  async #break(dice: Dice): Promise<void> {
    const last = this.#startedAt + (this.#end - this.#startedAt) * 2 / 3;
    for (;;) {
      await pause(dice.between(1_500, 6_000));
      if (performance.now() > last) return;
      const [name, fault] = dice.pick(FAULTS);
      this.#lastFault = `${name} at ${this.#seconds()} s`;
      this.#faults++;
      this.#broken = true;
      await fault({ programs: this.programs, relay: this.relay }, dice);
      await this.programs.ready();
      this.#mendedAt = performance.now();
      this.#broken = false;
    }
  }

  async #line(): Promise<void> {
    const figures = Object.entries(await this.programs.measure());
    const memory = figures.map(([name, mib]) => `${name} ${mib} MiB`).join(", ");
    const { done, total, excused, bytes, wrong } = this.#tally;
    const kinds = Object.entries(done).map(([name, count]) => `${name} ${count}`).join(", ");
    this.options.say(
      `${this.#seconds()} s: ${total} done, ${excused} failed by ${this.#faults} faults, ${wrong.length} wrong; ` +
        `${Math.round(bytes / 1e6)} MB checked; ${memory}; ` +
        `last fault: ${this.#lastFault} (${kinds})`,
    );
  }

  #seconds(): number {
    return Math.round((performance.now() - this.#startedAt) / 1000);
  }
}
