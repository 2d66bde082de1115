/**
 * Purpose: a name server that never answers costs those who ask for names 504 within the limit, and nobody else
 * anything, however many ask.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { Crowd } from "../support/crowd.ts";
import { curl } from "../support/curl.ts";
import { startDeadNameServer, whyNoDeadNameServer } from "../support/dead_name_server.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultOrigins, startFaultOrigins } from "../support/fault_origins.ts";
import { withFault } from "../support/fault_scene.ts";
import { startHttpOrigin } from "../support/http_origin.ts";
import { startOtherAgent } from "../support/other_agent.ts";
import { Pattern } from "../support/pattern.ts";
import { assertAllWhole, Traffic } from "../support/traffic.ts";
import { health } from "../support/zero.ts";

/** Many more than the runtime has threads for look-ups. */
const ASKING = 120;
/** Milliseconds in which they are told: the server waits 5 s for a name. Three times as long for a busy machine. */
const TOLD = 5_000 * 3;

const missing = await whyNoDeadNameServer();

Deno.test({
  name: `a dead name server costs those who ask for names 504, and nobody else anything${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    await using dead = await startDeadNameServer();
    await withFault({ wrapper: { server: dead.wrapper } }, async ({ chain, figure }) => {
      await using origins = startFaultOrigins(new Pattern(256));
      const began = performance.now();
      await using asking = new Crowd(chain.proxyPort, "nobody-$.test:443", ASKING);
      await using traffic = new Traffic(chain, origins);
      assertAllWhole(await traffic.outcomes(), origins);
      assert.deepEqual(traffic.refused, []);
      figure("ms for transfers beside it", Math.round(performance.now() - began));
      for (const { outcome } of await asking.outcomes(TOLD)) {
        assert.match(String(outcome), /^HTTP\/1\.1 504 [^]*\r\nProxy-Status: [^\r\n]*error=dns_timeout/);
      }
      figure("ms until all were told", Math.round(performance.now() - began));
      await eventually(
        "names that need no name server are found",
        () => assertFindsLocalhost(chain, origins),
      );
      const found = performance.now() - began;
      assert.ok(found < TOLD, `a name of the hosts file is found after ${found} ms`);
      figure("ms until a name of the hosts file was found", Math.round(found));
    });
  },
});

Deno.test({
  name: `one client's questions to a dead name server keep no other client waiting${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    await using dead = await startDeadNameServer();
    await using chain = await Chain.start({ wrapper: { server: dead.wrapper } });
    await using other = await startOtherAgent(chain);
    await using origin = startHttpOrigin(() => new Response("hello"));
    const get = (host: string) => curl(["-x", other.proxyUrl, `http://${host}/`]);
    // By address, so that the agent is connected before names are asked for.
    assert.equal((await get(origin.host)).text, "hello");
    await using asking = new Crowd(chain.proxyPort, "nobody-$.test:443", ASKING);
    await eventually("all of them wait", async () => assert.equal((await health(chain)).streams, ASKING));
    let isTold = false;
    const outcomes = asking.outcomes(TOLD).then((guests) => {
      isTold = true;
      return guests;
    });
    const began = performance.now();
    assert.equal((await get(`localhost:${origin.port}`)).text, "hello");
    const took = Math.round(performance.now() - began);
    assert.equal(isTold, false, "the other client is answered while they wait");
    Deno.stdout.writeSync(new TextEncoder().encode(`ms until the other client was answered ${took}\n`));
    for (const { outcome } of await outcomes) assert.match(String(outcome), /^HTTP\/1\.1 504 /);
    assert.equal((await other.agent.stop()).code, 0);
    await chain.finish();
  },
});

async function assertFindsLocalhost(chain: Chain, { http }: FaultOrigins): Promise<void> {
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://localhost:${http.port}/found`]);
  assert.equal(text, "/found", errors);
}
