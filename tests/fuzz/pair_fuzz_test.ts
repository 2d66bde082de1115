/** Two sessions never report a violation to each other, and no byte is lost, duplicated or reordered. */
import assert from "node:assert/strict";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { type Step, steps, WatchedPair } from "../support/mux/watched_pair.ts";
import { SMALL_WINDOWS } from "../support/mux/watched_session.ts";

const ACTS = [
  ...["open", "open", "write", "write", "write", "end", "reset", "resume", "resume"] as const,
  ...["consume", "consume", "deliver", "deliver", "deliver", "deliver", "wait", "drain"] as const,
];

function take(pair: WatchedPair, step: Step<(typeof ACTS)[number]>): void {
  const { act, side, which, size } = step;
  if (act === "deliver") pair.links[0]?.[side]?.deliver(size * 20);
  else if (act === "wait") pair.clock.advance(size % 10);
  else if (act !== "drain") pair.act(step);
  else if (which < 2) pair.sides[side]!.session.drain();
}

fuzz(
  "sessions never report violations to each other and lose no byte",
  [steps(ACTS)],
  async (all) => {
    const pair = new WatchedPair(SMALL_WINDOWS);
    await pair.begin();
    for (const step of all) {
      take(pair, step);
      await pair.settle();
    }
    await pair.finish(false);
    for (const { error } of pair.sides) assert.equal(error?.code, undefined, `session ended with ${error}`);
    await pair.assertEnd(["cancelled", "going_away", "limit_reached"]);
  },
  { share: 0.012 },
);
