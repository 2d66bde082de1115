/**
 * Purpose: two hundred reconnects in a row leave no file, stream, connection or memory behind in either program.
 */
import assert from "node:assert/strict";
import { NO_PROCESS_MEMORY, residentMiB } from "../support/process_stats.ts";
import { eventually } from "../support/eventually.ts";
import { completeTraffic, withRelay } from "../support/faults/fault_scene.ts";
import { startFaultOrigins } from "../support/faults/fault_origins.ts";
import { Pattern } from "../support/faults/pattern.ts";
import type { Program } from "../support/programs/programs.ts";
import type { Relay } from "../support/faults/relay.ts";
import { agentStatus, health } from "../support/programs/status.ts";
import type { Chain } from "../support/programs/chain.ts";

/** Allowed ratio of memory after all reconnects to memory after the first fifty: garbage collection is not exact. */
const GROWTH = 1.5;

Deno.test("200 reconnects in a row leave nothing behind", async () => {
  await withRelay({ agent: { connections: 1 } }, async ({ chain, relay, figure }) => {
    await using origins = startFaultOrigins(new Pattern(4));
    const began = performance.now();
    const memory: { agent: number; server: number }[] = [];
    for (let cut = 1; cut <= 200; cut++) {
      await reconnect(chain, relay);
      if (cut % 50 !== 0) continue;
      await completeTraffic(chain, origins);
      memory.push({ agent: await memoryOf(chain.agent), server: await memoryOf(chain.server) });
    }
    figure("ms for one reconnect", Math.round((performance.now() - began) / 200));
    const [first, last] = [memory[0]!, memory.at(-1)!];
    for (const part of ["agent", "server"] as const) {
      figure(`MiB of the ${part} after 50 and 200`, `${first[part]} ${last[part]}`);
      assert.ok(last[part] <= first[part] * GROWTH, `${part} grew from ${first[part]} to ${last[part]} MiB`);
    }
    assert.equal((await health(chain)).connections, 1);
  });
});

/** In MiB; 0 where it cannot be read. */
async function memoryOf({ process }: Program): Promise<number> {
  return NO_PROCESS_MEMORY === undefined ? Math.round(await residentMiB(process.pid)) : 0;
}

async function reconnect(chain: Chain, relay: Relay): Promise<void> {
  const before = relay.accepted;
  relay.cut();
  await eventually("the agent has reconnected", async () => {
    assert.ok(relay.accepted > before);
    const { state, connections } = await agentStatus(chain);
    assert.deepEqual([state, connections], ["ready", 1]);
  });
}
