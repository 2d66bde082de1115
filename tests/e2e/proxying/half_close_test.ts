/** Purpose: through CONNECT each direction ends on its own, and bytes sent before the response are not lost. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { sha256, testBytes } from "../../support/test_bytes.ts";
import { openTunnel } from "../../support/clients/tunnel_client.ts";

Deno.test("a client that half-closes still gets everything that the target sends afterwards", async () => {
  await using chain = await Chain.start();
  const bytes = testBytes(4_000_000);
  await using origin = startTcpOrigin(async (connection) => {
    const received = await new ByteReader(connection).toEnd();
    await writeAll(connection, sha256(received));
    await writeAll(connection, bytes);
  });
  {
    using tunnel = await openTunnel(chain.proxyPort, origin.host);
    assert.equal(tunnel.status, 200, tunnel.head);
    await writeAll(tunnel.connection, bytes);
    await tunnel.connection.closeWrite();
    assert.equal(new TextDecoder().decode(await tunnel.reader.exactly(64)), sha256(bytes));
    assert.equal(sha256(await tunnel.reader.toEnd()), sha256(bytes));
  }
  await chain.finish();
});

Deno.test("a target that half-closes still gets everything that the client sends afterwards", async () => {
  await using chain = await Chain.start();
  const bytes = testBytes(4_000_000);
  const received = Promise.withResolvers<string>();
  await using origin = startTcpOrigin(async (connection) => {
    await writeAll(connection, "greeting");
    await connection.closeWrite();
    received.resolve(sha256(await new ByteReader(connection).toEnd()));
  });
  {
    using tunnel = await openTunnel(chain.proxyPort, origin.host);
    assert.equal(new TextDecoder().decode(await tunnel.reader.toEnd()), "greeting");
    await writeAll(tunnel.connection, bytes);
    await tunnel.connection.closeWrite();
    assert.equal(await received.promise, sha256(bytes));
  }
  await chain.finish();
});

Deno.test("bytes sent together with CONNECT reach the target first", async () => {
  await using chain = await Chain.start();
  await using origin = startTcpOrigin(async (connection) => {
    await writeAll(connection, await new ByteReader(connection).toEnd());
  });
  {
    using tunnel = await openTunnel(chain.proxyPort, origin.host, "early, ");
    await writeAll(tunnel.connection, "late");
    await tunnel.connection.closeWrite();
    assert.equal(new TextDecoder().decode(await tunnel.reader.toEnd()), "early, late");
  }
  await chain.finish();
});

Deno.test("a target that resets its connection resets the client's", async () => {
  await using chain = await Chain.start();
  const origin = createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  {
    const { port } = origin.address() as AddressInfo;
    using tunnel = await openTunnel(chain.proxyPort, `127.0.0.1:${port}`);
    await writeAll(tunnel.connection, "anything");
    await assert.rejects(() => tunnel.reader.toEnd(), Deno.errors.ConnectionReset);
  }
  await new Promise((resolve) => origin.close(resolve));
  await chain.finish();
});
