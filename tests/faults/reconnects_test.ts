/**
 * Purpose: two hundred reconnects in a row leave no file, stream, connection or memory behind in either program.
 */
import assert from "node:assert/strict";
import { residentKiB } from "../support/descriptors.ts";
import { eventually } from "../support/eventually.ts";
import { wholeTraffic, withFault } from "../support/fault_scene.ts";
import { startFaultOrigins } from "../support/fault_origins.ts";
import { Pattern } from "../support/pattern.ts";
import { Relay } from "../support/relay.ts";
import { agentStatus, health } from "../support/zero.ts";
import type { Chain } from "../support/chain.ts";

/** Memory after all reconnects, compared with that after the first fifty: collectors are not exact. */
const GROWTH = 1.5;

Deno.test("200 reconnects in a row leave nothing behind", async () => {
  let relay!: Relay;
  await withFault({}, async ({ chain, figure }) => {
    await using origins = startFaultOrigins(new Pattern(4));
    const began = performance.now();
    const memory: { agent: number; server: number }[] = [];
    for (let cut = 1; cut <= 200; cut++) {
      await reconnect(chain, relay);
      if (cut % 50 !== 0) continue;
      await wholeTraffic(chain, origins);
      memory.push({ agent: await residentKiB(chain.agent), server: await residentKiB(chain.server) });
    }
    figure("ms for one reconnect", Math.round((performance.now() - began) / 200));
    const [first, last] = [memory[0]!, memory.at(-1)!];
    for (const part of ["agent", "server"] as const) {
      figure(`KiB of the ${part} after 50 and 200`, `${first[part]} ${last[part]}`);
      assert.ok(last[part] <= first[part] * GROWTH, `${part} grew from ${first[part]} to ${last[part]} KiB`);
    }
    assert.equal((await health(chain)).connections, 1);
  }, async (chain) => {
    await chain.startServer();
    relay = await Relay.start(chain.serverPort);
    await chain.startAgent({}, { server_port: relay.port });
    return relay;
  });
});

async function reconnect(chain: Chain, relay: Relay): Promise<void> {
  const before = relay.accepted;
  relay.cut();
  await eventually("the agent is back", async () => {
    assert.ok(relay.accepted > before);
    const { state, connections } = await agentStatus(chain);
    assert.deepEqual([state, connections], ["ready", 1]);
  });
}
