import { fromOsError } from "../../shared/net/os_error.ts";
import { SallyportError } from "../../shared/errors.ts";

/** Exit code that a shell has for a program that a signal ended: 128 and its number. */
const SIGNALLED = 128;

/**
 * Runs a command with more variables in its environment, at this program's terminal, and waits for its end.
 * Ctrl-C reaches both: the command decides, and this one waits for it.
 *
 * @returns Its exit code; 128 and the signal's number when one ended it.
 * @throws {SallyportError} When it cannot be started.
 */
export async function runCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const [program = "", ...args] = words;
  let child: Deno.ChildProcess;
  try {
    const io = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    child = new Deno.Command(program, { args, env: { ...env }, ...io }).spawn();
  } catch (error) {
    const { message } = fromOsError(error, `run ${program}`);
    throw new SallyportError("bad_request", message, { cause: error });
  }
  const pass = (signal: Deno.Signal) => {
    const handle = () => {
      try {
        child.kill(signal);
      } catch {
        // It is over, and its status follows.
      }
    };
    Deno.addSignalListener(signal, handle);
    return () => Deno.removeSignalListener(signal, handle);
  };
  // The terminal gives Ctrl-C to the command itself; who is told by name passes it on.
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  const stopPassing = Deno.build.os === "windows" ? () => {} : pass("SIGTERM");
  try {
    const { code, signal } = await child.status;
    return signal === null ? code : SIGNALLED + (NUMBERS[signal] ?? 0);
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
    stopPassing();
  }
}

const NUMBERS: Readonly<Partial<Record<Deno.Signal, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};
