/**
 * Purpose: when an agent is killed in the middle of transfers, the server forgets its streams and the targets see
 * their connections closed, none of them with a good end.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/fault_scene.ts";
import { assertAllBroken, assertTargetsLeft, Traffic } from "../support/traffic.ts";
import { health } from "../support/zero.ts";

Deno.test("an agent that is killed in mid-transfer is forgotten by server and targets", async () => {
  await withFault({}, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    const killed = performance.now();
    await chain.agent.stop("SIGKILL");
    await eventually("the server forgot it", async () => {
      const { connections, streams } = await health(chain);
      assert.deepEqual({ connections, streams }, { connections: 0, streams: 0 });
    });
    await assertTargetsLeft(endless);
    figure("ms until server and targets have left", Math.round(performance.now() - killed));
    assertAllBroken(await traffic.outcomes(), endless);
    await chain.startAgent();
  });
});
