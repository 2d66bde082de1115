/** Purpose: streams are charged what they cost: the process grows by at most that, whatever the size of the parts. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { Holding, HoldingPlan } from "../support/mux/part_holder.ts";
import { NO_NODE_MODULES } from "../../scripts/process/task_command.ts";

/** Allowed growth of the process for each byte charged. */
const FACTOR = 1.25;
/** Further growth allowed, in bytes: compiled code, and pages that the allocator keeps. */
const CONSTANT = 16 << 20;
const HOLDER = fileURLToPath(new URL("../support/mux/part_holder.ts", import.meta.url));

/** Runs a plan in its own process. */
async function hold(plan: HoldingPlan): Promise<Holding> {
  const args = [
    "run",
    NO_NODE_MODULES,
    "--v8-flags=--expose-gc,--max-semi-space-size=1",
    "--no-prompt",
    "--allow-net",
  ];
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

Deno.test("a process grows by at most what its streams are charged, whatever they buffer", async () => {
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
