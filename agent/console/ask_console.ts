import { z } from "zod";
import { webRequest } from "../../shared/tls/web_request.ts";

/** Milliseconds that an answer may take. */
const TIMEOUT = 3_000;
const MAX_BYTES = 65_536;

/** What of `GET /status` is told in words. */
const STATUS = z.looseObject({
  state: z.string(),
  proxy: z.object({ host: z.string(), port: z.number() }),
  connections: z.number(),
  streams: z.number(),
  clients: z.number(),
  error: z.string().optional(),
  retryInMs: z.number().optional(),
  fleet: z.string().optional(),
  wakingForMs: z.number().optional(),
});

/** What a console says of its agent. */
export type ConsoleStatus = z.output<typeof STATUS>;

/**
 * Asks the console at a port of this machine.
 *
 * @returns The status, and the JSON as it came.
 * @throws SallyportError `tunnel_down` when nobody answers; another error when it is no console of an agent.
 */
export async function askConsole(consolePort: number): Promise<{ status: ConsoleStatus; json: string }> {
  const url = new URL(`http://127.0.0.1:${consolePort}/status`);
  const { body } = await webRequest({ url, method: "GET", timeoutMs: TIMEOUT, maxBytes: MAX_BYTES });
  return { status: STATUS.parse(JSON.parse(body)), json: body.trim() };
}
