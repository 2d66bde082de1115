/**
 * Purpose: without `resume_timeout`, streams of a server that stops for a while end within 10 s, with an error, and
 * traffic flows again after it wakes.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { assertAllBroken, Traffic } from "../support/faults/traffic.ts";

/** Milliseconds until a silent peer is detected, half as much again for a busy machine. */
const DETECTED = 10_000 * 1.5;
/** Milliseconds until traffic flows again, three times as long for a busy machine. */
const RECOVERED = 2_000 * 3;

Deno.test("without resume_timeout the agent drops a sleeping server within 10 s, and the server serves again after it wakes", async () => {
  const keys = { resume_timeout: 0 };
  await withFault({ agent: keys, server: keys }, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    chain.server.kill("SIGSTOP");
    const stopped = performance.now();
    try {
      await eventually("every client got an error", () => assert.equal(traffic.running, 0), DETECTED);
      figure("ms until every client got an error", Math.round(performance.now() - stopped));
    } finally {
      chain.server.kill("SIGCONT");
    }
    const answered = traffic.answered;
    const woken = performance.now();
    await eventually("a request is answered again", () => assert.ok(traffic.answered > answered), RECOVERED);
    figure("ms from the wake-up to an answer", Math.round(performance.now() - woken));
    assertAllBroken(await traffic.results(), endless);
  });
});
