import assert from "node:assert/strict";
import { ByteReader, writeAll } from "../byte_reader.ts";
import { echoWebSocket, startHttpOrigin } from "./http_origin.ts";
import { servingCertificate } from "../pki/serving_certificate.ts";
import { startTcpOrigin } from "./tcp_origin.ts";
import { curl } from "../clients/curl.ts";
import { sha256, testBytes } from "../test_bytes.ts";

Deno.test("startHttpOrigin serves HTTPS that curl trusts with the test CA and not without", async () => {
  const { ca, ...tls } = await servingCertificate();
  const file = await Deno.makeTempFile({ suffix: ".pem" });
  await Deno.writeTextFile(file, ca);
  await using origin = startHttpOrigin(() => new Response("hello"), tls);
  const trusted = await curl(["--cacert", file, `https://localhost:${origin.port}/`]);
  assert.deepEqual([trusted.code, trusted.text], [0, "hello"], trusted.errors);
  assert.equal((await curl([`https://${origin.host}/`])).code, 60);
  await Deno.remove(file);
});

Deno.test("startTcpOrigin lets each direction end separately", async () => {
  await using origin = startTcpOrigin(async (connection) => {
    const all = await new ByteReader(connection).toEnd();
    await writeAll(connection, `${all.length}`);
    await connection.closeWrite();
  });
  using connection = await Deno.connect({ port: origin.port });
  await writeAll(connection, testBytes(100_000));
  await connection.closeWrite();
  assert.equal(new TextDecoder().decode(await new ByteReader(connection).toEnd()), "100000");
  assert.equal(origin.accepted, 1);
});

Deno.test("startTcpOrigin reports a failed assertion of its handler", async () => {
  const origin = startTcpOrigin(() => {
    assert.fail("wrong bytes");
  });
  {
    using connection = await Deno.connect({ port: origin.port });
    await new ByteReader(connection).toEnd();
  }
  await assert.rejects(async () => await origin[Symbol.asyncDispose](), /wrong bytes/);
});

Deno.test("echoWebSocket echoes text as text and bytes as bytes", async () => {
  await using origin = startHttpOrigin(echoWebSocket);
  const socket = new WebSocket(`ws://${origin.host}/`);
  socket.binaryType = "arraybuffer";
  const next = () =>
    new Promise((resolve) =>
      socket.addEventListener("message", (event) => resolve(event.data), { once: true })
    );
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  socket.send("text");
  assert.equal(await next(), "text");
  socket.send(new Uint8Array([1, 2]));
  assert.deepEqual(new Uint8Array(await next() as ArrayBuffer), new Uint8Array([1, 2]));
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.close();
  await closed;
});

Deno.test("testBytes are the same for every call and differ by seed", () => {
  assert.equal(sha256(testBytes(10_001)), sha256(testBytes(10_001)));
  assert.notEqual(sha256(testBytes(10_001)), sha256(testBytes(10_001, 2)));
});
