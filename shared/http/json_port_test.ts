import assert from "node:assert/strict";
import { ByteReader } from "../../tests/support/byte_reader.ts";
import { eventually } from "../../tests/support/eventually.ts";
import { ManualClock } from "../../tests/support/manual_clock.ts";
import { RawClient } from "../../tests/support/clients/raw_client.ts";
import { type JsonPort, type JsonPortInit, openJsonPort } from "./json_port.ts";

const GET = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
const HALF = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-";

async function withPort(
  init: Partial<JsonPortInit>,
  test: (port: JsonPort, client: () => RawClient) => Promise<void>,
): Promise<void> {
  const clients: RawClient[] = [];
  const port = await openJsonPort({
    host: "127.0.0.1",
    port: 0,
    routes: {
      "/health": () => ({ status: 200, body: { ok: true } }),
      "/words": () => ({ status: 200, body: { error: "\u009b31m\u202e" } }),
      "/throws": () => Promise.reject(new Error("an internal error")),
    },
    onError: (error) => assert.fail(error),
    ...init,
  });
  const client = () => {
    const made = new RawClient(port.address.port);
    clients.push(made);
    return made;
  };
  try {
    await test(port, client);
  } finally {
    for (const each of clients) await each.close();
    await port.close();
  }
  assert.equal(port.figures().used, 0);
}

async function ask(head: string): Promise<string> {
  let text = "";
  await withPort({}, async ({ address: { port } }) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(`${head}\r\n\r\n`));
    text = new TextDecoder().decode(await new ByteReader(connection).toEnd());
  });
  return text;
}

/** Waits for a number of connections. */
function used(port: JsonPort, count: number): Promise<void> {
  return eventually(`${count} connections`, () => assert.equal(port.figures().used, count));
}

Deno.test("a JSON port serves one request per connection", async () => {
  const once = /^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n(?:[^\r]+\r\n)*\r\n\{"ok":true\}$/i;
  for (const version of ["1.0", "1.1"]) {
    const head = `GET /health HTTP/${version}\r\nHost: localhost\r\nConnection: keep-alive`;
    assert.match(await ask(head), once);
    assert.match(await ask(`${head}\r\n\r\n${head}`), once);
  }
});

Deno.test("an offer of another protocol is ignored", async () => {
  const head = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c";
  assert.match(await ask(head), /^HTTP\/1\.1 200 /);
  assert.equal(await ask("CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80"), "");
});

Deno.test("HTTP/1.0 without a Host is served, as health checks send it", async () => {
  assert.match(await ask("GET /health HTTP/1.0"), /^HTTP\/1\.1 200 /);
});

Deno.test("an invalid request gets a status that says so", async () => {
  const cases: readonly (readonly [head: string, status: number])[] = [
    ["GET /health HTTP/1.1\r\nHost: a b", 400],
    ["GET /health HTTP/1.1", 400],
    ["nonsense", 400],
    [`GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(9_000)}`, 431],
    ["GET /other HTTP/1.1\r\nHost: localhost", 404],
    ["POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5", 405],
    ["GET /throws HTTP/1.1\r\nHost: localhost", 500],
  ];
  for (const [head, status] of cases) {
    assert.match(await ask(head), new RegExp(`^HTTP/1\\.1 ${status} `), head.slice(0, 60));
  }
});

Deno.test("HEAD has no body", async () => {
  assert.match(await ask("HEAD /health HTTP/1.1\r\nHost: localhost"), /^HTTP\/1\.1 200 [^]*\r\n\r\n$/);
});

for (const [what, sent] of [["no byte", ""], ["half a head", HALF]] as const) {
  Deno.test(`a client that sends ${what} is closed after 5 s, whatever it sends until then`, async () => {
    const clock = new ManualClock();
    await withPort({ clock }, async (port, client) => {
      const near = client();
      if (sent !== "") near.send(sent);
      await used(port, 1);
      clock.advance(4_999);
      assert.equal(port.figures().used, 1);
      if (sent !== "") await near.trickle("x");
      clock.advance(1);
      assert.equal(await near.rest(), "");
      await used(port, 0);
    });
  });
}

Deno.test("a client that does not read its response within 5 s is closed", async () => {
  const clock = new ManualClock();
  let asked = 0;
  // More than the buffers of both ends can hold.
  const text = "x".repeat(16 * 1024 * 1024);
  const routes = { "/health": () => (asked++, { contentType: "text/plain", text }) };
  await withPort({ clock, routes }, async (port, client) => {
    const near = client();
    near.socket.pause();
    near.send(GET);
    await eventually("a request in progress", () => assert.equal(asked, 1));
    clock.advance(4_999);
    assert.equal(port.figures().used, 1);
    clock.advance(1);
    await used(port, 0);
  });
});

Deno.test("the oldest half-sent request is evicted for a new client, and one in progress is not", async () => {
  const answered = Promise.withResolvers<{ status: number; body: unknown }>();
  let asked = 0;
  const routes = { "/health": () => (asked++, answered.promise) };
  await withPort({ routes, limits: { maxConnections: 3 } }, async (port, client) => {
    const busy = client();
    busy.send(GET);
    await eventually("a request in progress", () => assert.equal(asked, 1));
    const halves = [];
    for (const count of [2, 3]) {
      const half = client();
      half.send(HALF);
      halves.push(half);
      await used(port, count);
    }
    const late = client();
    late.send(GET);
    assert.equal(await halves[0]!.rest(), "");
    await eventually("both requests in progress", () => assert.equal(asked, 2));
    const last = client();
    last.send(GET);
    assert.equal(await halves[1]!.rest(), "");
    await eventually("three requests in progress", () => assert.equal(asked, 3));
    assert.equal(await client().rest(), "", "the limit is reached");
    const { total, evicted, refused } = port.figures();
    assert.deepEqual({ total, evicted, refused }, { total: 3, evicted: 2, refused: 1 });
    answered.resolve({ status: 200, body: {} });
    for (const each of [busy, late, last]) assert.match(await each.rest(), /^HTTP\/1\.1 200 /);
  });
});

Deno.test("closing sends the responses in progress and closes half-sent requests", async () => {
  const answered = Promise.withResolvers<{ status: number; body: unknown }>();
  let asked = 0;
  const routes = { "/health": () => (asked++, answered.promise) };
  await withPort({ routes }, async (port, client) => {
    const [busy, half] = [client(), client()];
    busy.send(GET);
    half.send(HALF);
    await used(port, 2);
    await eventually("a request in progress", () => assert.equal(asked, 1));
    const closed = port.close();
    assert.equal(await half.rest(), "");
    answered.resolve({ status: 200, body: {} });
    assert.match(await busy.rest(), /^HTTP\/1\.1 200 /);
    await closed;
  });
});

Deno.test("a JSON port escapes what could steer a terminal or hide", async () => {
  const text = await ask("GET /words HTTP/1.1\r\nHost: localhost");
  assert.match(text, /content-type: application\/json\r\n/i);
  assert.ok(text.includes('{"error":"\\u009b31m\\u202e"}'), text);
});
