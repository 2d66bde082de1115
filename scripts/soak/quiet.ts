import { eventually } from "../../tests/support/eventually.ts";
import type { DemoPorts } from "../demo/ports.ts";
import type { Programs } from "./programs.ts";

/** Descriptors that a program may have more than when its first traffic had passed: the runtime's own. */
const MORE_DESCRIPTORS = 16;
/** Milliseconds for the last ends to arrive, and for the server to let go of kept connections to origins. */
const QUIET_WITHIN = 45_000;

/** Waits until neither program has a stream, a client, or descriptors of any. Returns what is left over. */
export async function requireQuiet(ports: DemoPorts, programs: Programs): Promise<string[]> {
  const problems: string[] = [];
  const check = async (what: string, look: () => Promise<void>) => {
    await eventually(what, look, QUIET_WITHIN).catch((error) => problems.push(String(error)));
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
      if (now > atFirst + MORE_DESCRIPTORS) throw new Error(`${now} descriptors, ${atFirst} at first`);
    });
  }
  return problems;
}

/** Tells which ports of 127.0.0.1 are still in use. */
export function requireFree(ports: readonly number[]): string[] {
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
