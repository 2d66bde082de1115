import { type SampleOrigin, startSampleOrigin } from "../sample_origin.ts";
import { type Child, startChild } from "./child.ts";
import { writeDemoFiles } from "./files.ts";
import { claimPorts, type DemoPorts } from "./ports.ts";
import { StopRequest } from "./stop_request.ts";
import { waitForTraffic } from "./traffic.ts";

const DIR = `${import.meta.dirname}/../../.demo`;
/** From the start of the processes to the first request that passes: the very first start downloads libraries. */
const READY_WITHIN_MS = 120_000;
/** How long a program may take to finish what is in flight; the server's `drain_timeout` here is 5 s. */
const STOP_WITHIN_MS = 10_000;

/**
 * Runs the demo until it is told to stop.
 *
 * @returns The exit code: 0 after a stop that was asked for, 1 when it could not start or a program died.
 */
export async function runDemo(wanted: DemoPorts): Promise<number> {
  using stop = new StopRequest();
  try {
    await new Demo(claimPorts(wanted), stop).run();
    return 0;
  } catch (error) {
    write(Deno.stderr, error instanceof Error ? error.message : String(error));
    return 1;
  }
}

class Demo {
  readonly #children: Child[] = [];
  readonly #death = new AbortController();

  constructor(readonly ports: DemoPorts, readonly stop: StopRequest) {}

  /** Returns when a stop was asked for; throws when something failed first. Nothing runs on in either case. */
  async run(): Promise<void> {
    const origin = startSampleOrigin({ port: this.ports.originPort });
    try {
      await this.#start();
      await this.#ready();
      await aborted(AbortSignal.any([this.stop.signal, this.#death.signal]));
    } catch (error) {
      if (!this.stop.signal.aborted && !this.#death.signal.aborted) throw error;
    } finally {
      await this.#end(origin);
    }
    if (this.#death.signal.aborted) throw this.#death.signal.reason;
  }

  async #start(): Promise<void> {
    const files = await writeDemoFiles(DIR, this.ports);
    for (const name of ["server", "agent"] as const) {
      const child = await startChild(name, ["--config", files[name]], `${DIR}/${name}.log`);
      this.#children.push(child);
      this.#watch(child);
    }
  }

  /** Turns a death that nobody asked for into the end of the demo. */
  #watch(child: Child): void {
    child.ended.then(async (status) => {
      if (this.stop.signal.aborted) return;
      const how = status.signal ?? `exit code ${status.code}`;
      const output = (await child.output()).trimEnd();
      this.#death.abort(new Error(`${output}\nCannot go on: the ${child.name} ended by itself with ${how}`));
    }).catch((error) => this.#death.abort(error));
  }

  async #ready(): Promise<void> {
    const { proxyPort, consolePort, healthPort, originPort } = this.ports;
    const origin = `http://127.0.0.1:${originPort}/`;
    const late = AbortSignal.timeout(READY_WITHIN_MS);
    await waitForTraffic(proxyPort, origin, AbortSignal.any([this.stop.signal, this.#death.signal, late]));
    write(
      Deno.stdout,
      `ready  http proxy http://127.0.0.1:${proxyPort}  socks5 127.0.0.1:${proxyPort}  ` +
        `console http://127.0.0.1:${consolePort}/  health http://127.0.0.1:${healthPort}/health\n` +
        `Logs are in .demo; Ctrl-C stops everything. Try:\n` +
        `curl -x http://127.0.0.1:${proxyPort} ${origin}`,
    );
  }

  /** Agent before server, so that the agent does not see its server go; the origin last. */
  async #end(origin: SampleOrigin): Promise<void> {
    const kill = () => this.#children.forEach((child) => child.kill());
    this.stop.hurry.addEventListener("abort", kill);
    for (const child of this.#children.toReversed()) await child.stop(STOP_WITHIN_MS);
    this.stop.hurry.removeEventListener("abort", kill);
    await origin.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function write(to: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  to.writeSync(new TextEncoder().encode(`${text}\n`));
}
