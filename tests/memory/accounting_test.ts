/** Purpose: what streams are charged is what they cost: the process grows by no more, whatever the parts are. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { Holding, HoldingPlan } from "../support/part_holder.ts";

/** What the process may grow by for each byte charged. */
const FACTOR = 1.25;
/** Bytes that it may grow by besides: compiled code, and pages that the allocator keeps. */
const CONSTANT = 16 << 20;
const HOLDER = fileURLToPath(new URL("../support/part_holder.ts", import.meta.url));

/** Runs a plan in a process of its own. */
async function hold(plan: HoldingPlan): Promise<Holding> {
  const args = ["run", "--v8-flags=--expose-gc,--max-semi-space-size=1", "--no-prompt", "--allow-net"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, HOLDER, JSON.stringify(plan)],
    stdin: "null",
  }).output();
  const [text, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.notEqual(text, "", problem);
  return JSON.parse(text!);
}

const size = fc.oneof(
  fc.constantFrom(1, 2, 4_095, 4_096, 65_536),
  fc.integer({ min: 1, max: 64 }),
  fc.integer({ min: 1, max: 65_536 }),
);
const plan: fc.Arbitrary<HoldingPlan> = fc.record({
  place: fc.constantFrom("arrived", "queued", "written"),
  sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
  streams: fc.constantFrom(1, 8, 64),
});

Deno.test("a process grows by no more than its streams are charged, whatever they hold", async () => {
  const places = ["arrived", "queued", "written"] as const;
  const worst = places.map((place): [HoldingPlan] => [{ place, sizes: [1, 4_096], streams: 8 }]);
  await fc.assert(
    fc.asyncProperty(plan, async (plan) => {
      const { charged, grown } = await hold(plan);
      assert.ok(grown <= charged * FACTOR + CONSTANT, `${grown} bytes for ${charged} that are charged`);
    }),
    { numRuns: 9, examples: worst, endOnFailure: true },
  );
});
