import { childEnvironment } from "../process/child_environment.ts";
import { announceDownload } from "../process/downloads.ts";
import { taskCommand } from "../process/task_command.ts";
import { terminal } from "../../shared/cli/terminal.ts";
import { type SampleOrigin, startSampleOrigin } from "./sample_origin.ts";
import { type Child, startChild } from "./child.ts";
import { writeDemoFiles } from "./files.ts";
import { claimPorts, type DemoPorts } from "./ports.ts";
import { waitForAnswer } from "./wait_for_answer.ts";

const DIR = `${import.meta.dirname}/../../.demo`;
/** From the start of the processes to the first request that passes. Starting may take long on a busy machine. */
const READY_TIMEOUT_MS = 120_000;
/** For a program to finish what is in flight; the server's `drain_timeout` here is 5 s. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * Downloads what agent and server import, unless it is there, so that the deadline of their start does not depend on
 * a network. It runs them with `--version`, since `deno install` would fetch types too. Deno shows its progress on
 * standard error.
 *
 * @throws {Error} When Deno cannot download; it has printed why.
 */
export async function fetchLibraries(): Promise<void> {
  announceDownload("work");
  for (const program of ["agent", "server"]) {
    const { flags, module, args } = await taskCommand(program);
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [...flags, module, ...args, "--version"],
      env: childEnvironment(),
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).output();
    if (!success) {
      throw new Error(`Cannot start the demo: the libraries of the ${program} could not be downloaded`);
    }
  }
}

/**
 * Runs the demo until Ctrl-C.
 *
 * @throws {Error} When it cannot start, or a program ends on its own.
 */
export async function runDemo(wanted: DemoPorts): Promise<void> {
  using stop = new StopRequest();
  stop.signal.addEventListener("abort", () => terminal.out("stopping\n"));
  await new Demo(claimPorts(wanted), stop).run();
  terminal.out("stopped\n");
}

class Demo {
  readonly #children: Child[] = [];
  readonly #crash = new AbortController();

  constructor(readonly ports: DemoPorts, readonly stop: StopRequest) {}

  /** Returns after a stop request, throws when something fails first. Either way everything has ended then. */
  async run(): Promise<void> {
    const origin = startSampleOrigin({ port: this.ports.originPort });
    try {
      await this.#start();
      await this.#ready();
      await aborted(AbortSignal.any([this.stop.signal, this.#crash.signal]));
    } catch (error) {
      if (!this.stop.signal.aborted && !this.#crash.signal.aborted) throw error;
    } finally {
      await this.#end(origin);
    }
    if (this.#crash.signal.aborted) throw this.#crash.signal.reason;
  }

  async #start(): Promise<void> {
    const files = await writeDemoFiles(DIR, this.ports);
    for (const name of ["server", "agent"] as const) {
      const child = await startChild(name, ["--config", files[name]], `${DIR}/${name}.log`);
      this.#children.push(child);
      this.#watch(child);
      // An agent that starts first would warn that it cannot reach the server.
      if (name === "server") await this.#answering(this.ports.healthPort, "/health");
    }
  }

  /** Waits until a program answers at a port with 200. */
  #answering(port: number, url: string): Promise<void> {
    const late = AbortSignal.timeout(READY_TIMEOUT_MS);
    return waitForAnswer(port, url, AbortSignal.any([this.stop.signal, this.#crash.signal, late]));
  }

  /** Ends the demo when a program ends on its own. */
  #watch(child: Child): void {
    child.ended.then(async (status) => {
      if (this.stop.signal.aborted) return;
      const how = status.signal ?? `exit code ${status.code}`;
      const output = (await child.output()).trimEnd();
      this.#crash.abort(new Error(`${output}\nCannot go on: the ${child.name} ended with ${how}`));
    }).catch((error) => this.#crash.abort(error));
  }

  async #ready(): Promise<void> {
    const { proxyPort, consolePort, healthPort, originPort } = this.ports;
    const origin = `http://127.0.0.1:${originPort}/`;
    await this.#answering(proxyPort, origin);
    terminal.out(
      `ready  http proxy http://127.0.0.1:${proxyPort}  socks5 127.0.0.1:${proxyPort}  ` +
        `console http://127.0.0.1:${consolePort}/  health http://127.0.0.1:${healthPort}/health\n` +
        `Logs are in .demo; Ctrl-C stops everything.\n` +
        `Next: open the console, which shows how to set up browsers and programs, or try:\n` +
        `curl -x http://127.0.0.1:${proxyPort} ${origin}\n`,
    );
  }

  /** Stops the agent before the server, so that it does not lose its connection, and the origin last. */
  async #end(origin: SampleOrigin): Promise<void> {
    const kill = () => this.#children.forEach((child) => child.kill());
    this.stop.repeated.addEventListener("abort", kill);
    for (const child of this.#children.toReversed()) await child.stop(STOP_TIMEOUT_MS);
    this.stop.repeated.removeEventListener("abort", kill);
    await origin.stop();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Ctrl-C, SIGTERM and SIGHUP as abort signals, one for the first and one for the second. */
class StopRequest implements Disposable {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  readonly #listener = () => (this.#first.signal.aborted ? this.#second : this.#first).abort();

  /** Listens until it is disposed of; meanwhile these signals do not end the process. */
  constructor() {
    for (const name of signalNames()) Deno.addSignalListener(name, this.#listener);
  }

  /** Aborts at the first request to stop. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** Aborts at the second request: stop at once. */
  get repeated(): AbortSignal {
    return this.#second.signal;
  }

  [Symbol.dispose](): void {
    for (const name of signalNames()) Deno.removeSignalListener(name, this.#listener);
  }
}

function signalNames(): Deno.Signal[] {
  return Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
}
