import { terminal } from "../../../shared/cli/terminal.ts";

/**
 * Tells the parent that the program is ready, and ends the program with the parent: standard input is a pipe from
 * there, which closes however the parent ends.
 *
 * @param ready Fields for the parent.
 * @throws {Error} When the parent has ended.
 */
export async function endWithParent(ready: Readonly<Record<string, unknown>> = {}): Promise<never> {
  // Ctrl-C goes to all programs of a terminal: the path stays until both ends of the tunnels have ended.
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => {});
  terminal.out(`${JSON.stringify({ message: "ready", ...ready })}\n`);
  for await (const _ of Deno.stdin.readable) {
    // Nothing is sent; only the end matters.
  }
  throw new Error("the parent has ended");
}
