import { EXIT, type Terminal } from "../shared/cli/run_program.ts";

/** Milliseconds that an answer may take. */
const TIMEOUT = 3_000;
/** What a server listens on to be reached on every address, and one at which it is reached then. */
const ANY: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" };

/**
 * Asks the health port of a server on this machine, for container images that have neither a shell nor `curl`.
 *
 * @param address The server's `listen_addr`.
 * @returns The exit code: 0 when the server is ready, 1 when it drains or does not answer within 3 s.
 */
export async function askHealth(address: string, port: number, terminal: Terminal): Promise<number> {
  const host = ANY[address] ?? (address.includes(":") ? `[${address}]` : address);
  const url = `http://${host}:${port}/health`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT) });
    const text = await response.text();
    const said = `${text.trim()}\n`;
    if (response.ok) terminal.out(said);
    else terminal.err(said);
    return response.ok ? EXIT.ok : EXIT.failure;
  } catch (error) {
    terminal.err(`Cannot ask ${url}: ${error instanceof Error ? error.message : error}\n`);
    return EXIT.failure;
  }
}
