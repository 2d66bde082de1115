import assert from "node:assert/strict";
import { ByteReader } from "../../tests/support/byte_reader.ts";
import { openJsonPort } from "./json_port.ts";

async function ask(head: string): Promise<string> {
  const port = openJsonPort({
    host: "127.0.0.1",
    port: 0,
    routes: {
      "/health": () => ({ status: 200, body: { ok: true } }),
      "/words": () => ({ status: 200, body: { error: "\u009b31m\u202e" } }),
      "/fault": () => Promise.reject(new Error("a fault")),
    },
    onTrouble: (error) => assert.fail(error),
  });
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: port.address.port });
    await connection.write(new TextEncoder().encode(`${head}\r\nConnection: close\r\n\r\n`));
    return new TextDecoder().decode(await new ByteReader(connection).toEnd());
  } finally {
    await port.close();
  }
}

Deno.test("a JSON port answers what it was asked for", async () => {
  const text = await ask("GET /health HTTP/1.1\r\nHost: localhost");
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /\{"ok":true\}/);
});

Deno.test("a host that cannot be read is 400, and a fault 500", async () => {
  assert.match(await ask("GET /health HTTP/1.1\r\nHost: a b"), /^HTTP\/1\.1 400 /);
  assert.match(await ask("GET /fault HTTP/1.1\r\nHost: localhost"), /^HTTP\/1\.1 500 /);
});

Deno.test("a JSON port escapes what could steer a terminal or hide", async () => {
  const text = await ask("GET /words HTTP/1.1\r\nHost: localhost");
  assert.match(text, /content-type: application\/json\r\n/i);
  assert.ok(text.includes('{"error":"\\u009b31m\\u202e"}'), text);
});
