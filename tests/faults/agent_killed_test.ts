/**
 * Purpose: when an agent is killed during transfers, the server drops its streams after `resume_timeout` and closes the
 * connections to their targets, none of them with a good end.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { assertAllBroken, assertTargetsClosed, Traffic } from "../support/faults/traffic.ts";
import { health } from "../support/programs/status.ts";

Deno.test("an agent killed during transfers is dropped by the server and by targets", async () => {
  await withFault({ server: { resume_timeout: "2s" } }, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    const killed = performance.now();
    await chain.agent.stop("SIGKILL");
    await chain.server.log.waitFor("agent lost its connection");
    await eventually("the server has dropped the agent", async () => {
      const { connections, agents, streams } = await health(chain);
      assert.deepEqual({ connections, agents, streams }, { connections: 0, agents: 0, streams: 0 });
    });
    await assertTargetsClosed(endless);
    const waited = performance.now() - killed;
    figure("ms until server and targets have closed", Math.round(waited));
    assert.ok(waited >= 2_000, `dropped after ${waited} ms`);
    assertAllBroken(await traffic.results(), endless);
    const { fields } = await chain.server.log.waitFor("agent disconnected");
    assert.match(String(fields["error"]), /did not come back within 2 s/);
    await chain.startAgent();
  });
});
