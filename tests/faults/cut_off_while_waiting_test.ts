/**
 * Purpose: a client that is revoked while its session waits for a connection loses its streams at once, and is refused
 * when it comes back.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withRelay } from "../support/faults/fault_scene.ts";
import { assertAllBroken, assertTargetsClosed, Traffic } from "../support/faults/traffic.ts";
import { clientOf, writeCrl } from "../support/programs/chain_authority.ts";
import { health } from "../support/programs/status.ts";

Deno.test("a client that is revoked while its session waits is cut off, and refused when it comes back", async () => {
  const prepare = writeCrl;
  await withRelay({ server: { crl_file: "certs/ca.crl" }, prepare }, async ({ chain, relay, endless }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    relay.cut();
    relay.silence();
    await chain.server.log.waitFor("agent lost its connection");
    await writeCrl(chain, { revoked: [await clientOf(chain)] });
    await chain.server.log.waitFor("agent cut off");
    await assertTargetsClosed(endless);
    const { connections, agents, streams } = await health(chain);
    assert.deepEqual({ connections, agents, streams }, { connections: 0, agents: 0, streams: 0 });

    relay.restore();
    const refused = await chain.server.log.waitFor("agent refused");
    assert.equal(refused.fields["code"], "peer_rejected");
    assert.match(String(refused.fields["error"]), /was revoked/);
    await writeCrl(chain);
    await eventually("the agent is accepted again", async () => {
      assert.equal((await health(chain)).connections, 1);
    });
    assertAllBroken(await traffic.results(), endless);
  });
});
