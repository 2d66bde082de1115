/**
 * Purpose: a path that drops everything without a word is noticed within 10 s, its streams end with an error at
 * both ends, and while somebody waits the agent is back within 2 s of the path's return.
 */
import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { withFault } from "../support/fault_scene.ts";
import { Relay } from "../support/relay.ts";
import { assertAllBroken, assertTargetsLeft, Traffic } from "../support/traffic.ts";

/** Milliseconds in which a silent path is noticed, half as much again for a busy machine. */
const NOTICED = 10_000 * 1.5;
/** Milliseconds in which traffic is back, three times as long for a busy machine. */
const BACK = 2_000 * 3;

Deno.test("a path that goes silent is noticed within 10 s, and traffic is back within 2 s of its return", async () => {
  let relay!: Relay;
  await withFault({}, async ({ chain, endless, figure }) => {
    await using traffic = new Traffic(chain, endless);
    await traffic.flowing();
    const silent = performance.now();
    relay.silence();
    await assertTargetsLeft(endless);
    figure("ms until the targets were left", Math.round(performance.now() - silent));
    const answered = traffic.answered;
    const dials = relay.accepted;
    await eventually("the agent dials while somebody waits", () => assert.ok(relay.accepted >= dials + 2));
    relay.restore();
    const restored = performance.now();
    await eventually("a request is answered again", () => assert.ok(traffic.answered > answered), BACK);
    figure("ms from the path's return to an answer", Math.round(performance.now() - restored));
    const outcomes = await traffic.outcomes();
    assertAllBroken(outcomes, endless);
    const noticed = Math.max(...outcomes.map(({ at }) => at)) - silent;
    assert.ok(noticed < NOTICED, `noticed after ${noticed} ms`);
    figure("ms until every client was told", Math.round(noticed));
  }, async (chain) => {
    await chain.startServer();
    relay = await Relay.start(chain.serverPort);
    await chain.startAgent({}, { server_port: relay.port });
    return relay;
  });
});
