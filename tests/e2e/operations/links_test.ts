/** Purpose: `/status`, `/health`, `/metrics` and `agent status` show the links of a session, and what losing them costs. */
import assert from "node:assert/strict";
import { proxyClient } from "../../support/clients/proxy_client.ts";
import { eventually } from "../../support/eventually.ts";
import { startFaultOrigins } from "../../support/faults/fault_origins.ts";
import { Pattern } from "../../support/faults/pattern.ts";
import { Relay } from "../../support/faults/relay.ts";
import { TRANSFERS } from "../../support/faults/transfers.ts";
import { Chain } from "../../support/programs/chain.ts";
import { environmentOf, keysOf } from "../../support/programs/doctor.ts";
import { metrics } from "../../support/programs/metrics.ts";
import { startProgram } from "../../support/programs/programs.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

Deno.test("several links show after bulk, and a cut of all of them as a resumption with bytes sent again", async () => {
  await using chain = await Chain.prepare();
  await chain.startServer();
  await using relay = await Relay.start(chain.serverPort);
  await chain.startAgent({}, { server_port: relay.port });
  await whileBothWaysAreBusy(chain, relay, async () => {
    await severalLinks(chain, relay);
    relay.cut();
    await eventually("both ends count a resumption, and bytes sent again", async () => {
      const [agent, server, counts] = [await agentStatus(chain), await health(chain), await metrics(chain)];
      assert.deepEqual([agent.resumptions, server.resumptions], [1, 1]);
      assert.ok(agent.resent_bytes > 0 && server.resent_bytes > 0, JSON.stringify([agent, server]));
      assert.equal(counts.get("sallyport_resumptions_total"), 1);
      assert.ok(counts.get("sallyport_resent_bytes_total")! > 0);
    });
  });
  await chain.server.stop();
  await chain.startServer();
  await eventually("the agent is in a new session, with the counts of the first", async () => {
    const { state, sessions, resumptions, resent_bytes } = await agentStatus(chain);
    assert.deepEqual([state, sessions.map(({ links }) => links.map(({ id }) => id))], ["ready", [[1]]]);
    assert.ok(resumptions === 1 && resent_bytes > 0);
  });
  await chain.finish();
});

/** Runs `test` during a download and an upload, which arrive whole. */
async function whileBothWaysAreBusy(chain: Chain, relay: Relay, test: () => Promise<void>): Promise<void> {
  await using origins = startFaultOrigins(new Pattern(512));
  using client = proxyClient(chain.proxyUrl);
  const context = {
    origins,
    client,
    proxyPort: chain.proxyPort,
    begun() {},
    signal: AbortSignal.timeout(30_000),
  };
  // Slow enough that a cut always loses bytes in flight.
  relay.rate = 2_000_000;
  const transfers = ["download with a length", "upload"].map((kind) => TRANSFERS[kind]!(context));
  try {
    await test();
  } finally {
    relay.rate = Infinity;
    await Promise.all(transfers);
  }
}

/** Waits for links that share the work, and checks each place that shows them. */
async function severalLinks(chain: Chain, relay: Relay): Promise<void> {
  const remote = `127.0.0.1:${relay.port}`;
  await eventually("bulk has a link of its own", async () => {
    const { connections, sessions: [session, ...others] } = await agentStatus(chain);
    assert.deepEqual([others, session?.links.length], [[], connections]);
    assert.match(session!.session, /^[0-9a-f]{8}$/);
    const [first, second] = session!.links;
    assert.deepEqual([first?.id, first?.carries, first?.remote], [1, "interactive", remote]);
    assert.deepEqual([second?.id, second?.carries, second?.suspect], [2, "bulk", false]);
    for (const { round_trip_ms, transferred_bytes } of [first!, second!]) {
      assert.ok(round_trip_ms! > 0 && transferred_bytes > 0);
    }
    assert.ok(second!.send_bytes_per_s! > 0);
  });
  const { sessions, waiting_sessions, links } = await health(chain);
  assert.deepEqual([sessions, waiting_sessions], [1, 0]);
  assert.ok(links > 1);
  const counts = await metrics(chain);
  assert.equal(counts.get("sallyport_sessions"), 1);
  assert.ok(counts.get("sallyport_links")! > 1);
  const env = environmentOf({ ...keysOf(chain), console_port: chain.consolePort });
  await using shown = await startProgram("agent", ["status"], { env });
  assert.equal((await shown.ended).code, 0, shown.log.text);
  assert.match(
    shown.out.text,
    /^links to 127\.0\.0\.1:\d+: 1 \(round trip [\d.]+ ms, .*carries interactive\), 2 \(round/m,
  );
}
