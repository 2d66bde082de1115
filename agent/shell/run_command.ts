import { fromOsError } from "../../shared/net/os_error.ts";
import { agentCommand, commandLine } from "../../shared/cli/command_line.ts";
import type { Terminal } from "../../shared/cli/terminal.ts";
import { printable } from "../../shared/text/sanitize.ts";

/** A shell's exit code for a program ended by a signal is 128 plus its number. */
const SIGNALLED = 128;
/** A shell's exit codes for a command that was not found, or cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * Runs a command with additional environment variables in this program's terminal, and waits for its end. Ctrl-C reaches
 * both: the command decides, and this program waits for it.
 *
 * @returns Its exit code, or 128 plus the number of the signal that ended it. If it cannot be started: 127 if it was not
 * found, otherwise 126, like a shell; the error goes to `terminal`.
 */
export async function runCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  terminal: Pick<Terminal, "err">,
): Promise<number> {
  const [program = "", ...args] = words;
  let child: Deno.ChildProcess;
  try {
    const io = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    child = new Deno.Command(program, { args, env: { ...env }, ...io }).spawn();
  } catch (error) {
    return notStarted(program, error, terminal);
  }
  const pass = (signal: Deno.Signal) => {
    const handle = () => {
      try {
        child.kill(signal);
      } catch {
        // It has already ended.
      }
    };
    Deno.addSignalListener(signal, handle);
    return () => Deno.removeSignalListener(signal, handle);
  };
  // The terminal sends Ctrl-C to the command too; signals sent only to this process are passed on.
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  const passed = Deno.build.os === "windows" ? [] : (["SIGTERM", "SIGHUP", "SIGQUIT"] as const).map(pass);
  try {
    const { code, signal } = await child.status;
    return signal === null ? code : SIGNALLED + (NUMBERS[signal] ?? 0);
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
    for (const stop of passed) stop();
  }
}

function notStarted(program: string, error: unknown, terminal: Pick<Terminal, "err">): number {
  const say = (text: string) => terminal.err(`sallyport-agent: ${printable(text)}\n`);
  if (error instanceof Deno.errors.NotCapable) {
    say(
      `Cannot run ${program}: this task may not run commands; use ${agentCommand("exec")} instead of ` +
        commandLine("agent exec"),
    );
    return NOT_EXECUTABLE;
  }
  if (error instanceof Deno.errors.NotFound) {
    say(`Cannot run ${program}: command not found`);
    return NOT_FOUND;
  }
  say(fromOsError(error, `run ${program}`).message);
  return NOT_EXECUTABLE;
}

const NUMBERS: Readonly<Partial<Record<Deno.Signal, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};
