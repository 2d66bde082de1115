import { eventually } from "../../tests/support/eventually.ts";
import type { DemoPorts } from "../demo/ports.ts";
import type { Programs } from "./programs.ts";

/** Descriptors that the runtime itself may open after the first traffic. */
const EXTRA_DESCRIPTORS = 16;
/** Milliseconds for the last streams to end, and for the server to close kept connections to origins. */
const IDLE_TIMEOUT = 45_000;

/** Waits until neither program has a stream, a client or descriptors of them. Returns what is left over. */
export async function findLeftovers(ports: DemoPorts, programs: Programs): Promise<string[]> {
  const problems: string[] = [];
  const check = async (what: string, probe: () => Promise<void>) => {
    await eventually(what, probe, IDLE_TIMEOUT).catch((error) => problems.push(String(error)));
  };
  await check("no stream and no client in the agent", async () => {
    const { streams, clients } = await json(`http://127.0.0.1:${ports.consolePort}/status`);
    if (streams !== 0 || clients !== 0) throw new Error(`${streams} streams, ${clients} clients`);
  });
  await check("no stream in the server", async () => {
    const { streams } = await json(`http://127.0.0.1:${ports.healthPort}/health`);
    if (streams !== 0) throw new Error(`${streams} streams`);
  });
  for (const name of ["agent", "server"] as const) {
    await check(`no descriptor left over in the ${name}`, async () => {
      const { now, atFirst } = await programs.descriptors(name);
      if (now > atFirst + EXTRA_DESCRIPTORS) throw new Error(`${now} descriptors, ${atFirst} at first`);
    });
  }
  return problems;
}

/** Returns which ports of 127.0.0.1 are still in use. */
export function findPortsInUse(ports: readonly number[]): string[] {
  return ports.flatMap((port) => {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return [];
    } catch (error) {
      return [`port ${port} is still in use: ${error}`];
    }
  });
}

async function json(url: string): Promise<Record<string, unknown>> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(url, { client, signal: AbortSignal.timeout(5_000) });
  return await response.json();
}
