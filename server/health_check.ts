import { SallyportError } from "../shared/errors.ts";
import { webRequest } from "../shared/tls/web_request.ts";
import { EXIT, type Terminal } from "../shared/cli/run_program.ts";

/** Milliseconds that an answer may take. */
const TIMEOUT = 3_000;
const MAX_BYTES = 65_536;
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
  const url = new URL(`http://${host}:${port}/health`);
  try {
    const { status, body } = await webRequest({
      url,
      method: "GET",
      timeoutMs: TIMEOUT,
      maxBytes: MAX_BYTES,
    });
    const ready = status === 200;
    const say = ready ? terminal.out : terminal.err;
    say(`${body.trim()}\n`);
    return ready ? EXIT.ok : EXIT.failure;
  } catch (error) {
    terminal.err(`${SallyportError.from(error).message}\n`);
    return EXIT.failure;
  }
}
