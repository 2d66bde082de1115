/** Purpose: an agent has at most `max_streams` streams on each connection; what is too much gets 503 and room later. */
import assert from "node:assert/strict";
import { Chain } from "../support/chain.ts";
import { knock } from "../support/doors.ts";
import { eventually } from "../support/eventually.ts";
import { startTcpOrigin } from "../support/tcp_origin.ts";
import { openTunnel, type Tunnel } from "../support/tunnel_client.ts";
import { ByteReader } from "../support/byte_reader.ts";
import { agentStatus, health } from "../support/zero.ts";

/** Connections that an agent makes at the most. */
const POOL = 4;

Deno.test("a stream beyond max_streams is refused with 503 and limit_reached, and there is room when others end", async () => {
  await using chain = await Chain.start({ server: { max_streams: 2 } });
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).toEnd();
  });
  const tunnels: Tunnel[] = [];
  for (let count = 0; count < 2 * POOL; count++) tunnels.push(await openTunnel(chain.proxyPort, origin.host));
  assert.deepEqual(tunnels.map(({ status }) => status), Array(2 * POOL).fill(200));
  assert.equal((await agentStatus(chain)).connections, POOL);

  for (const door of ["connect", "absolute", "websocket"] as const) {
    const { status, text } = await knock(chain.proxyPort, door, "127.0.0.1", origin.port);
    assert.equal(status, 503, `${door}: ${text}`);
    assert.match(text, /error=connection_limit_reached; details="limit_reached: /, door);
  }
  assert.equal((await knock(chain.proxyPort, "socks_name", "127.0.0.1", origin.port)).reply, 1);
  assert.equal((await health(chain)).streams, 2 * POOL, "the others go on");

  tunnels.pop()![Symbol.dispose]();
  await eventually("room", async () => {
    using tunnel = await openTunnel(chain.proxyPort, origin.host);
    assert.equal(tunnel.status, 200);
  });
  for (const tunnel of tunnels) tunnel[Symbol.dispose]();
  await chain.finish();
});
