/**
 * Purpose: when a middlebox ends every connection between agent and server after a while, running transfers and idle
 * connections go on, whole.
 */
import assert from "node:assert/strict";
import { withRelay } from "../support/faults/fault_scene.ts";
import { assertOutlives } from "../support/faults/outliving.ts";

Deno.test("transfers and idle connections go on, whole, when no connection may live longer than 2 s", async () => {
  await withRelay({}, async ({ relay, ...scene }) => {
    relay.rate = 8_388_608;
    const before = relay.accepted;
    await assertOutlives(scene, { parts: 128, fault: () => relay.limitLifetime(2_000) });
    relay.rate = Infinity;
    const count = relay.accepted - before;
    scene.figure("further connections", count);
    assert.ok(count >= 3, `${count} further connections`);
  });
});
