/**
 * Purpose: with a name server that never answers, requests for names get 504 within the limit, and other requests
 * are not affected, however many ask for names.
 */
import assert from "node:assert/strict";
import { Chain } from "../support/programs/chain.ts";
import { ManyClients } from "../support/faults/many_clients.ts";
import { curl } from "../support/clients/curl.ts";
import { startDeadNameServer, whyNoDeadNameServer } from "../support/origins/dead_name_server.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultOrigins, startFaultOrigins } from "../support/faults/fault_origins.ts";
import { withFault } from "../support/faults/fault_scene.ts";
import { startHttpOrigin } from "../support/origins/http_origin.ts";
import { startSecondAgent } from "../support/programs/second_agent.ts";
import { Pattern } from "../support/faults/pattern.ts";
import { assertAllComplete, Traffic } from "../support/faults/traffic.ts";
import { health } from "../support/programs/status.ts";
import { terminal } from "../../shared/cli/terminal.ts";

/** Many more than the runtime has lookup threads. */
const LOOKUPS = 120;
/** Milliseconds for their answers: the server waits 5 s for a name. Three times as long for a busy machine. */
const ANSWERED = 5_000 * 3;

const missing = await whyNoDeadNameServer();

Deno.test({
  name: `with a dead name server, requests for names get 504 and others are not affected${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    await using dead = await startDeadNameServer();
    await withFault({ wrapper: { server: dead.wrapper } }, async ({ chain, figure }) => {
      await using origins = startFaultOrigins(new Pattern(256));
      const began = performance.now();
      await using asking = new ManyClients(chain.proxyPort, "unknown-$.test:443", LOOKUPS);
      await using traffic = new Traffic(chain, origins);
      assertAllComplete(await traffic.results(), origins);
      assert.deepEqual(traffic.refused, []);
      figure("ms for transfers meanwhile", Math.round(performance.now() - began));
      for (const { result } of await asking.results(ANSWERED)) {
        assert.match(String(result), /^HTTP\/1\.1 504 [^]*\r\nProxy-Status: [^\r\n]*error=dns_timeout/);
      }
      figure("ms until all were answered", Math.round(performance.now() - began));
      await eventually(
        "names that need no name server are resolved",
        () => assertFindsLocalhost(chain, origins),
      );
      const found = performance.now() - began;
      assert.ok(found < ANSWERED, `a name of the hosts file is resolved after ${found} ms`);
      figure("ms until a name of the hosts file was resolved", Math.round(found));
    });
  },
});

Deno.test({
  name: `one client's lookups at a dead name server keep no other client waiting${
    missing === undefined ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== undefined,
  async fn() {
    await using dead = await startDeadNameServer();
    await using chain = await Chain.start({ wrapper: { server: dead.wrapper } });
    await using other = await startSecondAgent(chain);
    await using origin = startHttpOrigin(() => new Response("hello"));
    const get = (host: string) => curl(["-x", other.proxyUrl, `http://${host}/`]);
    // By address, so that the agent is connected before the lookups.
    assert.equal((await get(origin.host)).text, "hello");
    await using asking = new ManyClients(chain.proxyPort, "unknown-$.test:443", LOOKUPS);
    await eventually("all of them wait", async () => assert.equal((await health(chain)).streams, LOOKUPS));
    let areAnswered = false;
    const results = asking.results(ANSWERED).then((clients) => {
      areAnswered = true;
      return clients;
    });
    const began = performance.now();
    assert.equal((await get(`localhost:${origin.port}`)).text, "hello");
    const took = Math.round(performance.now() - began);
    assert.equal(areAnswered, false, "the other client is answered while they wait");
    terminal.out(`ms until the other client was answered ${took}\n`);
    for (const { result } of await results) assert.match(String(result), /^HTTP\/1\.1 504 /);
    assert.equal((await other.agent.stop()).code, 0);
    await chain.finish();
  },
});

async function assertFindsLocalhost(chain: Chain, { http }: FaultOrigins): Promise<void> {
  const { text, errors } = await curl(["-x", chain.proxyUrl, `http://localhost:${http.port}/found`]);
  assert.equal(text, "/found", errors);
}
