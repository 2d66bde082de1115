import { childEnvironment } from "../process/child_environment.ts";
import { taskCommand } from "../process/task_command.ts";

/** A program of the demo, running as a process. */
export interface Child {
  /** The name of its task. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** Its exit status, also after a signal. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** Whether it has ended. */
  readonly isOver: boolean;
  /** The end of its output, at most 16 KiB, for error messages. */
  output(): Promise<string>;
  /** Stops it with SIGTERM, and after `timeoutMs` with SIGKILL. */
  stop(timeoutMs: number): Promise<void>;
  /** Kills it at once. */
  kill(): void;
}

const LONGEST_OUTPUT = 16 * 1024;

/**
 * Starts a program with the permissions of its task. Its output goes to `logFile`, not to the terminal, where the
 * last line is the demo's.
 */
export async function startChild(name: string, args: readonly string[], logFile: string): Promise<Child> {
  const { flags, module, args: own } = await taskCommand(name);
  const log = await Deno.open(logFile, { write: true, create: true, truncate: true });
  const process = new Deno.Command(Deno.execPath(), {
    args: [...flags, module, ...own, ...args],
    env: childEnvironment(),
    clearEnv: true,
    // A terminal sends Ctrl-C to every process of the group, and a second signal makes the programs exit at once. In
    // a group of their own they get signals from the demo only, once and in order.
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return follow(name, process, log);
}

function follow(name: string, process: Deno.ChildProcess, log: Deno.FsFile): Child {
  const tail = new Tail();
  const written = Promise.all([drain(process.stdout, log, tail), drain(process.stderr, log, tail)])
    .finally(() => log.close());
  // The output is complete when both pipes have ended, so that an error message has all of it.
  const ended = Promise.all([process.status, written]).then(([status]) => status);
  const child = { over: false };
  const settle = () => {
    child.over = true;
  };
  process.status.then(settle, settle);
  const signal = (name: Deno.Signal) => {
    if (!child.over) process.kill(name);
  };
  return {
    name,
    pid: process.pid,
    ended,
    get isOver() {
      return child.over;
    },
    output: () => written.then(() => tail.text()),
    kill: () => signal("SIGKILL"),
    async stop(timeoutMs) {
      signal("SIGTERM");
      const timer = setTimeout(() => signal("SIGKILL"), timeoutMs);
      await ended.finally(() => clearTimeout(timer));
    },
  };
}

async function drain(from: ReadableStream<Uint8Array>, log: Deno.FsFile, tail: Tail): Promise<void> {
  for await (const bytes of from) {
    tail.add(bytes);
    for (let at = 0; at < bytes.length;) at += log.writeSync(bytes.subarray(at));
  }
}

/** The last bytes of an output. */
class Tail {
  #bytes = new Uint8Array(0);

  add(more: Uint8Array): void {
    const all = new Uint8Array(this.#bytes.length + more.length);
    all.set(this.#bytes);
    all.set(more, this.#bytes.length);
    this.#bytes = all.slice(-LONGEST_OUTPUT);
  }

  text(): string {
    return new TextDecoder().decode(this.#bytes);
  }
}
