/** Purpose: `Expect: 100-continue` works between client and origin, and other 1xx responses are forwarded. */
import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../../support/byte_reader.ts";
import { Chain } from "../../support/programs/chain.ts";
import { curl } from "../../support/clients/curl.ts";
import { startTcpOrigin } from "../../support/origins/tcp_origin.ts";

const UPLOAD = ["-H", "Expect: 100-continue", "--expect100-timeout", "30", "--data-binary", "0123456789"];

Deno.test("a request body is sent after the origin's 100 Continue", async () => {
  await using chain = await Chain.start();
  await using origin = startTcpOrigin(async (connection) => {
    const reader = new ByteReader(connection);
    assert.match(await reader.head(), /\r\nExpect: 100-continue\r\n/i);
    await writeAll(connection, "HTTP/1.1 100 Continue\r\n\r\n");
    const body = await reader.exactly(10);
    await writeAll(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    await writeAll(connection, body);
  });
  const { code, text, errors } = await curl([
    "-x",
    chain.proxyUrl,
    "-v",
    ...UPLOAD,
    `http://${origin.host}/`,
  ]);
  assert.equal(code, 0, errors);
  assert.equal(text, "0123456789");
  assert.match(errors, /< HTTP\/1\.1 100 Continue/);
  await chain.finish();
});

Deno.test("an origin that refuses without 100 Continue never gets the body", async () => {
  await using chain = await Chain.start();
  let seen = -1;
  await using origin = startTcpOrigin(async (connection) => {
    const reader = new ByteReader(connection);
    await reader.head();
    await writeAll(
      connection,
      "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
    );
    await connection.closeWrite();
    seen = (await reader.toEnd()).length;
  });
  const { text, errors } = await curl([
    ...["-x", chain.proxyUrl, "-w", "[%{http_code}]", ...UPLOAD],
    `http://${origin.host}/`,
  ]);
  assert.equal(text, "no[401]", errors);
  await chain.finish();
  assert.equal(seen, 0);
});

Deno.test("103 Early Hints reaches the client before the response", async () => {
  await using chain = await Chain.start();
  await using origin = startTcpOrigin(async (connection) => {
    await new ByteReader(connection).head();
    await writeAll(connection, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    await writeAll(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const { text, errors } = await curl(["-x", chain.proxyUrl, "-v", `http://${origin.host}/`]);
  assert.equal(text, "ok", errors);
  assert.match(
    errors,
    /< HTTP\/1\.1 103 Early Hints[^]*< Link: <\/a\.css>; rel=preload[^]*< HTTP\/1\.1 200 OK/,
  );
  await chain.finish();
});
