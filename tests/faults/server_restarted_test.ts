/**
 * Purpose: a server that is restarted in order (SIGTERM, drain) under load loses nothing: transfers under way end
 * whole, and requests that come meanwhile wait for the next server as long as that makes sense.
 */
import assert from "node:assert/strict";
import { startFaultOrigins } from "../support/fault_origins.ts";
import { withFault } from "../support/fault_scene.ts";
import { Pattern } from "../support/pattern.ts";
import { assertAllWhole, assertTargetsLeft, Traffic } from "../support/traffic.ts";

Deno.test("a server that is restarted under load lets every transfer end whole", async () => {
  await withFault({}, async ({ chain, figure }) => {
    await using origins = startFaultOrigins(new Pattern(512));
    await using traffic = new Traffic(chain, origins);
    await traffic.flowing();
    const told = performance.now();
    assert.equal((await chain.server.stop("SIGTERM", 25_000)).code, 0);
    figure("ms to drain", Math.round(performance.now() - told));
    await chain.startServer();
    assertAllWhole(await traffic.outcomes(), origins);
    // Who comes while nobody listens for longer is told so, and nobody is told anything else.
    for (const told of traffic.refused) {
      assert.match(told, /^503 sallyport; [^]*: the connection was refused/);
    }
    figure("small requests served", traffic.answered);
    figure("refused while there was no server", traffic.refused.length);
    await assertTargetsLeft(origins);
  });
});
