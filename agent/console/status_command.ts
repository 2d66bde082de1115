import { SallyportError } from "../../shared/errors.ts";
import { webRequest } from "../../shared/tls/web_request.ts";
import { EXIT, type Terminal } from "../../shared/cli/run_program.ts";
import { z } from "zod";

/** Milliseconds that an answer may take. */
const TIMEOUT = 3_000;
const MAX_BYTES = 65_536;

/** What of `GET /status` is told in words. */
const STATUS = z.looseObject({
  state: z.string(),
  connections: z.number(),
  streams: z.number(),
  clients: z.number(),
  error: z.string().optional(),
  retryInMs: z.number().optional(),
  fleet: z.string().optional(),
  wakingForMs: z.number().optional(),
});

/**
 * Asks the agent that runs on this machine how it is.
 *
 * @param asJson Prints what the console answered instead of words.
 * @returns The exit code: 0 when the tunnel is ready, 1 when it is not or no agent answers.
 */
export async function showStatus(consolePort: number, asJson: boolean, terminal: Terminal): Promise<number> {
  const url = new URL(`http://127.0.0.1:${consolePort}/status`);
  try {
    const { body } = await webRequest({ url, method: "GET", timeoutMs: TIMEOUT, maxBytes: MAX_BYTES });
    const status = STATUS.parse(JSON.parse(body));
    terminal.out(asJson ? `${body.trim()}\n` : `${wordsOf(status)}\n`);
    return status.state === "ready" ? EXIT.ok : EXIT.failure;
  } catch (error) {
    const why = error instanceof SallyportError ? error.message : `${url.host} is no console of an agent`;
    terminal.err(
      `Cannot ask the agent: ${why.replace(/^Cannot /, "cannot ")}; does it run, with this console_port?\n`,
    );
    return EXIT.failure;
  }
}

function wordsOf(status: z.output<typeof STATUS>): string {
  const { state, connections, streams, clients, error, retryInMs, fleet, wakingForMs } = status;
  const lines = [`${state}: ${connections} connections to servers, ${streams} streams, ${clients} clients`];
  if (wakingForMs !== undefined) {
    lines.push(`waking the server for ${seconds(wakingForMs)}; the cloud says ${fleet}`);
  }
  if (error !== undefined) lines.push(error);
  if (retryInMs !== undefined) lines.push(`next attempt in ${seconds(retryInMs)}`);
  return lines.join("\n");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
