import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { taskCommand } from "../../../scripts/process/task_command.ts";
import { DEFAULT_DEADLINE_MS } from "../eventually.ts";
import { within } from "../within.ts";
import { LogLines } from "../log_lines.ts";

/** A program of the project, running as a process of its own with the permissions of its task. */
export class Program implements AsyncDisposable {
  /** What it writes to standard error. */
  readonly log = new LogLines();
  /** What it writes to standard output. */
  readonly out = new LogLines();
  /** How it ended, once all that it wrote was read. */
  readonly ended: Promise<Deno.CommandStatus>;
  #over = false;

  constructor(readonly name: string, readonly process: Deno.ChildProcess) {
    const read = Promise.all([this.log.read(process.stderr), this.out.read(process.stdout)]);
    this.ended = process.status.then(async (status) => {
      this.#over = true;
      await read;
      return status;
    });
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Sends a signal, unless the program has ended. */
  kill(signal: Deno.Signal): void {
    if (!this.#over) this.process.kill(signal);
  }

  /**
   * Sends `signal` and waits for the end.
   *
   * @throws {Error} When it does not end within `ms`; it is killed then.
   */
  async stop(signal: Deno.Signal = "SIGTERM", ms = DEFAULT_DEADLINE_MS): Promise<Deno.CommandStatus> {
    this.kill(signal);
    try {
      return await within(ms, this.ended, `the end of the ${this.name} after ${signal}`);
    } catch (cause) {
      this.kill("SIGKILL");
      await this.ended;
      throw new Error(`${cause}; it wrote:\n${this.log.text}`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended;
  }
}

/** What {@linkcode startProgram} takes besides the task and its arguments. */
export interface StartOptions {
  /** Environment variables besides the inherited ones; inherited `SALLYPORT_*` are dropped. */
  env?: Record<string, string>;
  /**
   * Working directory.
   *
   * @default {the test's}
   */
  cwd?: string;
  /**
   * A command that runs the one behind it in its place, with `exec`, such as {@linkcode withOpenFiles}.
   *
   * @default {none}
   */
  wrapper?: readonly string[];
  /**
   * The folder of another checkout of the project, whose program is started.
   *
   * @default {this one}
   */
  root?: string;
}

/** A wrapper that lets a program have at most `count` open files. */
export function withOpenFiles(count: number): readonly string[] {
  return ["sh", "-c", `ulimit -n ${count}; exec "$0" "$@"`];
}

/** Variables that name an executable to start instead of a task's sources. */
const EXECUTABLES: Readonly<Record<string, string>> = {
  agent: "AGENT_BIN",
  certs: "AGENT_BIN",
  server: "SERVER_BIN",
};

/** The command of a task: the executable in the environment, or Deno with the task's flags. */
async function programCommand(task: string, root?: string): Promise<string[]> {
  const { flags, module, args } = await taskCommand(task, root);
  const variable = EXECUTABLES[task];
  const executable = variable === undefined || root !== undefined ? undefined : Deno.env.get(variable);
  return executable ? [executable, ...args] : [Deno.execPath(), ...flags, module, ...args];
}

/** Starts the program of a task of deno.json, with the flags of that task and nothing else. */
export async function startProgram(
  task: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Program> {
  const all = [...options.wrapper ?? [], ...await programCommand(task, options.root), ...args];
  const command = new Deno.Command(all[0]!, {
    args: all.slice(1),
    env: { ...childEnvironment(), NO_COLOR: "1", ...options.env },
    clearEnv: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  return new Program(task, command.spawn());
}
