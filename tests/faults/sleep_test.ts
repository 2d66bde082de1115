/**
 * Purpose: programs that stop for a while, as when a laptop sleeps, do no harm: the other end notices within 10 s,
 * streams end with an error, and traffic flows again after the awakening.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/fault_scene.ts";
import { assertAllBroken, assertTargetsLeft, Traffic } from "../support/traffic.ts";

/** Milliseconds in which a silent peer is noticed, half as much again for a busy machine. */
const NOTICED = 10_000 * 1.5;
/** Milliseconds in which traffic is back, three times as long for a busy machine. */
const BACK = 2_000 * 3;

Deno.test("an agent that sleeps is left by the server within 10 s, and serves again when it wakes", async () => {
  await withFault({}, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    chain.agent.kill("SIGSTOP");
    const stopped = performance.now();
    try {
      await assertTargetsLeft(endless);
      const noticed = performance.now() - stopped;
      assert.ok(noticed < NOTICED, `noticed after ${noticed} ms`);
      figure("ms until the targets were left", Math.round(noticed));
    } finally {
      chain.agent.kill("SIGCONT");
    }
    const answered = traffic.answered;
    const woken = performance.now();
    await eventually("a request is answered again", () => assert.ok(traffic.answered > answered), BACK);
    figure("ms from the awakening to an answer", Math.round(performance.now() - woken));
    assertAllBroken(await traffic.outcomes(), endless);
  });
});

Deno.test("a server that sleeps is left by the agent within 10 s, and serves again when it wakes", async () => {
  await withFault({}, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    chain.server.kill("SIGSTOP");
    const stopped = performance.now();
    try {
      await eventually("every client was told", () => assert.equal(traffic.running, 0), NOTICED);
      figure("ms until every client was told", Math.round(performance.now() - stopped));
    } finally {
      chain.server.kill("SIGCONT");
    }
    const answered = traffic.answered;
    const woken = performance.now();
    await eventually("a request is answered again", () => assert.ok(traffic.answered > answered), BACK);
    figure("ms from the awakening to an answer", Math.round(performance.now() - woken));
    assertAllBroken(await traffic.outcomes(), endless);
  });
});
