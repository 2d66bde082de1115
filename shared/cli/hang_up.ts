const terminals = [Deno.stdin, Deno.stdout, Deno.stderr].filter((stream) => stream.isTerminal());

/**
 * Tells what a SIGHUP means. Sent by somebody, it asks for a reload; sent since the terminal of the program was
 * closed, it asks to stop, and then there is no terminal any more.
 */
export function terminalIsGone(): boolean {
  return terminals.length > 0 && !terminals.some((stream) => stream.isTerminal());
}
