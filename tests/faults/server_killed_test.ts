/**
 * Purpose: when a server is killed during transfers and started again, it does not know the session: clients and HTTP
 * targets get an error, and new requests work at once.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { assertAllBroken, Traffic } from "../support/faults/traffic.ts";
import { agentStatus } from "../support/programs/status.ts";

Deno.test("a server killed during transfers and started again leaves nothing behind", async () => {
  await withFault({}, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    endless.serverMayBeKilled();
    await chain.server.stop("SIGKILL");
    await eventually("the agent waits for the server", async () => {
      assert.equal((await agentStatus(chain)).state, "resuming");
    });
    const started = performance.now();
    await chain.startServer();
    const { fields } = await chain.agent.log.waitFor("session lost");
    assert.equal(fields["code"], "session_unknown");
    assertAllBroken(await traffic.results(), endless);
    await eventually("the agent has reconnected", async () => {
      assert.equal((await agentStatus(chain)).state, "ready");
    });
    figure("ms to recover, with the start of the server", Math.round(performance.now() - started));
  });
});
