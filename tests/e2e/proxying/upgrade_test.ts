/** Purpose: a refused upgrade arrives with its body, and after a 101 every byte passes unchanged. */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";
import { testBytes } from "../../support/test_bytes.ts";

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
];

for (const status of ["200 OK", "403 Forbidden", "503 Busy"]) {
  Deno.test(`a refused upgrade reaches the client with its status ${status} and its body`, async () => {
    await using chain = await Chain.start();
    await using origin = startTcpOrigin(async (connection) => {
      await new ByteReader(connection).head();
      await writeAll(
        connection,
        `HTTP/1.1 ${status}\r\nX-Why: not today\r\nContent-Length: 8\r\n\r\nno, why?`,
      );
    });
    const headers = UPGRADE.flatMap((header) => ["-H", header]);
    const { text, errors } = await curl(["-x", chain.proxyUrl, "-i", ...headers, `http://${origin.host}/ws`]);
    assert.ok(text.startsWith(`HTTP/1.1 ${status}\r\n`), text + errors);
    assert.match(text, /\r\nX-Why: not today\r\n[^]*\r\n\r\nno, why\?$/);
    await chain.finish();
  });
}

Deno.test("bytes after the 101 pass unchanged, including early ones and a half-close", async () => {
  await using chain = await Chain.start();
  const up = testBytes(700_000, 2);
  const down = testBytes(900_000, 3);
  await using origin = startTcpOrigin(async (connection) => {
    const reader = new ByteReader(connection);
    const head = await reader.head();
    for (const header of UPGRADE) assert.ok(head.includes(`\r\n${header}\r\n`), `${header} in ${head}`);
    const early = new TextEncoder().encode(
      "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly",
    );
    await writeAll(connection, early);
    assert.deepEqual(await reader.toEnd(), up);
    await writeAll(connection, down);
  });
  {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: chain.proxyPort });
    const head = [`GET http://${origin.host}/ws HTTP/1.1`, `Host: ${origin.host}`, ...UPGRADE].join("\r\n");
    await writeAll(connection, `${head}\r\n\r\n`);
    const reader = new ByteReader(connection);
    assert.match(await reader.head(), /^HTTP\/1\.1 101 Switching\r\n/);
    assert.equal(new TextDecoder().decode(await reader.exactly(5)), "early");
    await writeAll(connection, up);
    await connection.closeWrite();
    assert.deepEqual(await reader.toEnd(), down);
  }
  await chain.finish();
});
