/**
 * Purpose: without `resume_timeout`, a path that silently drops everything is detected within 10 s, its streams end with
 * an error at both ends, and while requests wait the agent reconnects within 2 s of the path's return.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withRelay } from "../support/faults/fault_scene.ts";
import { assertAllBroken, assertTargetsClosed, Traffic } from "../support/faults/traffic.ts";

/** Milliseconds until a silent path is detected, half as much again for a busy machine. */
const DETECTED = 10_000 * 1.5;
/** Milliseconds until traffic flows again, three times as long for a busy machine. */
const RECOVERED = 2_000 * 3;

Deno.test("without resume_timeout a silent path is detected within 10 s, and traffic flows within 2 s of its return", async () => {
  const keys = { resume_timeout: 0 };
  await withRelay({ agent: keys, server: keys }, async ({ chain, relay, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    const silent = performance.now();
    relay.silence();
    await assertTargetsClosed(endless);
    figure("ms until the targets were closed", Math.round(performance.now() - silent));
    const answered = traffic.answered;
    const dials = relay.accepted;
    await eventually("the agent dials while requests wait", () => assert.ok(relay.accepted >= dials + 2));
    relay.restore();
    const restored = performance.now();
    await eventually("a request is answered again", () => assert.ok(traffic.answered > answered), RECOVERED);
    figure("ms from the path's return to an answer", Math.round(performance.now() - restored));
    const results = await traffic.results();
    assertAllBroken(results, endless);
    const noticed = Math.max(...results.map(({ at }) => at)) - silent;
    assert.ok(noticed < DETECTED, `noticed after ${noticed} ms`);
    figure("ms until every client got an error", Math.round(noticed));
  });
});
