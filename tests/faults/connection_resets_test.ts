/**
 * Purpose: when one connection between agent and server is reset, or all of them, once or again and again, running
 * transfers and idle connections go on, whole.
 */
import assert from "node:assert/strict";
import { withRelay } from "../support/faults/fault_scene.ts";
import { assertOutlives } from "../support/faults/outliving.ts";

/** Bytes between two resets, and how many there are. */
const BETWEEN = 4_194_304;
const RESETS = 12;

for (const connections of [1, 8]) {
  Deno.test(`transfers and idle connections go on, whole, when all of at most ${connections} connections are reset`, async () => {
    await withRelay({ agent: { connections } }, async ({ relay, ...scene }) => {
      await assertOutlives(scene, { parts: 96, fault: () => relay.cutOldest() });
      await assertOutlives(scene, { parts: 256, fault: () => relay.cutEvery(BETWEEN, RESETS) });
      assert.equal(relay.cuts, RESETS);
    });
  });
}
