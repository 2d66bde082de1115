/** Purpose: an agent has at most `max_streams` streams on each connection; more are refused with 503 until others end. */
import assert from "node:assert/strict";
import { Chain } from "../../support/programs/chain.ts";
import { sendRequest } from "../../support/programs/proxy_request.ts";
import { eventually } from "../../support/eventually.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { openTunnel, type Tunnel } from "../../support/clients/tunnel_client.ts";
import { ByteReader } from "../../support/byte_reader.ts";
import { agentStatus, health } from "../../support/programs/status.ts";

/** The most connections that an agent makes. */
const POOL = 4;

Deno.test("a stream beyond max_streams is refused with 503 and limit_reached until others end", async () => {
  await using chain = await Chain.start({ server: { max_streams: 2 } });
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).toEnd();
  });
  const tunnels: Tunnel[] = [];
  for (let count = 0; count < 2 * POOL; count++) tunnels.push(await openTunnel(chain.proxyPort, origin.host));
  assert.deepEqual(tunnels.map(({ status }) => status), Array(2 * POOL).fill(200));
  assert.equal((await agentStatus(chain)).connections, POOL);

  for (const form of ["connect", "absolute", "websocket"] as const) {
    const { status, text } = await sendRequest(chain.proxyPort, form, "127.0.0.1", origin.port);
    assert.equal(status, 503, `${form}: ${text}`);
    assert.match(text, /error=connection_limit_reached; details="limit_reached: /, form);
  }
  assert.equal((await sendRequest(chain.proxyPort, "socks_name", "127.0.0.1", origin.port)).reply, 1);
  assert.equal((await health(chain)).streams, 2 * POOL, "the others are still open");

  tunnels.pop()![Symbol.dispose]();
  await eventually("room for a stream", async () => {
    using tunnel = await openTunnel(chain.proxyPort, origin.host);
    assert.equal(tunnel.status, 200);
  });
  for (const tunnel of tunnels) tunnel[Symbol.dispose]();
  await chain.finish();
});
