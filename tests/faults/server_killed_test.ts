/**
 * Purpose: a server that is killed in the middle of transfers breaks them off with an error at clients and HTTP
 * targets, and the agent finds the next server by itself.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/fault_scene.ts";
import { assertAllBroken, Traffic } from "../support/traffic.ts";
import { agentStatus } from "../support/zero.ts";

Deno.test("a server that is killed in mid-transfer and started again leaves nothing behind", async () => {
  await withFault({}, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    endless.serverMayBeKilled();
    const killed = performance.now();
    await chain.server.stop("SIGKILL");
    const outcomes = await traffic.outcomes();
    assertAllBroken(outcomes, endless);
    figure("ms to notice", Math.round(Math.max(...outcomes.map(({ at }) => at)) - killed));
    const started = performance.now();
    await chain.startServer();
    await eventually("the agent is back", async () => {
      assert.equal((await agentStatus(chain)).state, "ready");
    });
    figure("ms to recover, with the start of the server", Math.round(performance.now() - started));
  });
});
