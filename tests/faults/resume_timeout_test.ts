/**
 * Purpose: a path that stays away for longer than `resume_timeout` ends the streams at both ends, with an error, and
 * with `resume_timeout: 0` the loss of the connection does so at once. When the path is back, traffic flows again.
 */
import assert from "node:assert/strict";
import type { AuditLine } from "../support/programs/audit_lines.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultScene, withRelay } from "../support/faults/fault_scene.ts";
import type { Relay } from "../support/faults/relay.ts";
import { assertAllBroken, assertTargetsClosed, Traffic } from "../support/faults/traffic.ts";
import type { Chain } from "../support/programs/chain.ts";
import { health } from "../support/programs/status.ts";

const CASES = [
  { timeout: "2s", reason: /did not come back within 2 s/ },
  { timeout: 0, reason: /closed|reset/ },
];

// At the same time: most of it is waiting.
Deno.test("a path that is away for longer than resume_timeout ends the streams at both ends", async () => {
  await Promise.all(CASES.map(async ({ timeout, reason }) => {
    const keys = { resume_timeout: timeout };
    await withRelay({ agent: keys, server: keys }, async (scene) => {
      for (const { detail } of await assertEnds(scene, scene.relay)) assert.match(String(detail), reason);
      const lost = await scene.chain.agent.log.waitFor("session lost");
      assert.match(String(lost.fields["error"]), reason);
    });
  }));
});

/** Takes the path away until every transfer has ended. Returns the audit lines of the streams that ended with it. */
async function assertEnds({ chain, endless, figure }: FaultScene, relay: Relay): Promise<AuditLine[]> {
  await using traffic = new Traffic(chain, endless);
  await traffic.flowing();
  const audited = chain.server.out.lines.length;
  const began = performance.now();
  relay.cut();
  relay.silence();
  await eventually("every client got an error", () => assert.equal(traffic.running, 0));
  figure("ms until every client got an error", Math.round(performance.now() - began));
  await assertNoStream(chain);
  await assertTargetsClosed(endless);
  const lines = await eventually("the audit has all transfers", () => {
    const all = chain.server.out.lines.slice(audited).map(({ fields }) => fields);
    const ended = all.filter(({ outcome }) => outcome === "tunnel_down");
    assert.ok(ended.length >= 10, JSON.stringify(all));
    return ended;
  });
  relay.restore();
  assertAllBroken(await traffic.results(), endless);
  return lines;
}

async function assertNoStream(chain: Chain): Promise<void> {
  await eventually("the server has no stream", async () => {
    const { connections, streams } = await health(chain);
    assert.deepEqual({ connections, streams }, { connections: 0, streams: 0 });
  });
}
