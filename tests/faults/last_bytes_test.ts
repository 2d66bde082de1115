/**
 * Purpose: what is on its way when all connections are lost arrives although its stream is over for its sender: the
 * last bytes of a download and of an upload, and the reset of a stream whose client went away.
 */
import assert from "node:assert/strict";
import { writeAll } from "../support/byte_reader.ts";
import { proxyClient } from "../support/clients/proxy_client.ts";
import { openTunnel } from "../support/clients/tunnel_client.ts";
import { eventually } from "../support/eventually.ts";
import { startFaultOrigins } from "../support/faults/fault_origins.ts";
import { withRelay } from "../support/faults/fault_scene.ts";
import { Checker, Pattern } from "../support/faults/pattern.ts";
import { TRANSFERS } from "../support/faults/transfers.ts";
import { startTcpOrigin } from "../support/origins/tcp_origin.ts";
import { agentStatus, health } from "../support/programs/status.ts";
import { within } from "../support/within.ts";

/** Bytes a second: the last ones are on their way for a while. */
const RATE = 262_144;
const PATTERN = new Pattern(8);

Deno.test("the last bytes of a download arrive although the connection is lost", async () => {
  await withRelay({ agent: { connections: 1 } }, async ({ chain, relay }) => {
    await using origins = startFaultOrigins(PATTERN);
    using client = proxyClient(chain.proxyUrl);
    const begun = Promise.withResolvers<void>();
    const context = { origins, proxyPort: chain.proxyPort, client, signal: new AbortController().signal };
    relay.rate = RATE;
    const download = TRANSFERS["download with a length"]!({ ...context, begun: begun.resolve });
    await within(10_000, begun.promise, "the first bytes");
    await eventually("the server has sent all", async () => assert.equal((await health(chain)).streams, 0));
    assert.equal((await agentStatus(chain)).streams, 1);
    relay.rate = Infinity;
    relay.cut();
    await within(10_000, download, "the end of the download");
  });
});

Deno.test("the last bytes of an upload arrive although the connection is lost", async () => {
  await withRelay({ agent: { connections: 1 } }, async ({ chain, relay }) => {
    const received = Promise.withResolvers<void>();
    await using origin = startTcpOrigin(async (connection) => {
      await connection.closeWrite();
      const checker = new Checker(PATTERN);
      for await (const bytes of connection.readable) checker.take(bytes);
      checker.ended();
      received.resolve();
    });
    using tunnel = await openTunnel(chain.proxyPort, origin.host);
    await tunnel.reader.toEnd();
    relay.rate = RATE;
    for (const part of PATTERN) await writeAll(tunnel.connection, part);
    await tunnel.connection.closeWrite();
    await eventually(
      "the agent has sent all",
      async () => assert.equal((await agentStatus(chain)).streams, 0),
    );
    assert.equal((await health(chain)).streams, 1);
    relay.rate = Infinity;
    relay.cut();
    await within(10_000, received.promise, "the end of the upload");
  });
});

Deno.test("a client that goes away during an outage closes its target's connection after it", async () => {
  await withRelay({}, async ({ chain, relay, endless }) => {
    using client = proxyClient(chain.proxyUrl);
    const { body } = await fetch(`http://${endless.http.host}/sized`, { client });
    assert.equal(endless.open, 1);
    relay.cut();
    relay.silence();
    await chain.server.log.waitFor("agent lost its connection");
    await body?.cancel();
    await eventually("the agent has no stream", async () => {
      assert.equal((await agentStatus(chain)).streams, 0);
    });
    relay.restore();
    await chain.server.log.waitFor("agent resumed");
    await eventually("the server has no stream", async () => assert.equal((await health(chain)).streams, 0));
  });
});
