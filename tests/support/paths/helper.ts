import { childEnvironment } from "../../../scripts/process/child_environment.ts";
import { NO_NODE_MODULES } from "../../../scripts/process/task_command.ts";
import { Program } from "../programs/programs.ts";

/** How a program is started besides its arguments. */
export interface HelperOptions {
  /** A command that runs the one behind it in its place, such as `ip netns exec NAME`. */
  readonly wrapper?: readonly string[];
  /** Flags of Deno. @default {[]} */
  readonly flags?: readonly string[];
}

/** A script that ends with this process, whatever ends that. */
export class Helper implements AsyncDisposable {
  readonly program: Program;
  readonly #child: Deno.ChildProcess;

  /** @param url Of its file. It calls `endWithParent`. */
  constructor(url: string, args: readonly string[], options: HelperOptions = {}) {
    const [command, ...rest] = [
      ...options.wrapper ?? [],
      Deno.execPath(),
      "run",
      NO_NODE_MODULES,
      "--no-prompt",
      "--no-remote",
      "--allow-net",
      ...options.flags ?? [],
      url,
      ...args,
    ];
    this.#child = spawn(command!, rest, "piped");
    this.program = new Program(url.slice(url.lastIndexOf("/") + 1), this.#child);
  }

  /** Waits until it is ready; returns the fields of its line. */
  async ready(): Promise<Readonly<Record<string, unknown>>> {
    return (await this.program.out.waitFor("ready")).fields;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    await this.#child.stdin.close().catch(() => {}); // the pipe broke
  }
}

/** Starts a program from elsewhere, such as `sshd`. */
export function startForeign(command: readonly string[]): Program {
  return new Program(command[0]!, spawn(command[0]!, command.slice(1), "null"));
}

function spawn(command: string, args: string[], stdin: "piped" | "null"): Deno.ChildProcess {
  return new Deno.Command(command, {
    args,
    env: { ...childEnvironment(), NO_COLOR: "1" },
    clearEnv: true,
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
