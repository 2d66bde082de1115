/**
 * Purpose: an orderly restart of the server under load (SIGTERM, drain) loses nothing: running transfers complete, and
 * requests that arrive meanwhile wait for the next server up to a limit.
 */
import assert from "node:assert/strict";
import { startFaultOrigins } from "../support/faults/fault_origins.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { Pattern } from "../support/faults/pattern.ts";
import { assertAllComplete, assertTargetsClosed, Traffic } from "../support/faults/traffic.ts";

Deno.test("a server restarted under load lets every transfer complete", async () => {
  await withFault({}, async ({ chain, figure }) => {
    await using origins = startFaultOrigins(new Pattern(512));
    await using traffic = new Traffic(chain, origins);
    await traffic.flowing();
    const signalled = performance.now();
    assert.equal((await chain.server.stop("SIGTERM", 25_000)).code, 0);
    figure("ms to drain", Math.round(performance.now() - signalled));
    await chain.startServer();
    assertAllComplete(await traffic.results(), origins);
    // Only requests that waited too long for a server were refused, with that reason.
    for (const refusal of traffic.refused) {
      assert.match(refusal, /^503 sallyport; [^]*: the connection was refused/);
    }
    figure("small requests served", traffic.answered);
    figure("refused while there was no server", traffic.refused.length);
    await assertTargetsClosed(origins);
  });
});
