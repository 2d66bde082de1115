import assert from "node:assert/strict";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";

const HEADERS =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\nSec-WebSocket-Version: 13\r\n";
const REQUEST =
  `GET http://a.test/chat?x HTTP/1.1\r\nHost: a.test\r\nProxy-Connection: keep-alive\r\n${HEADERS}\r\n`;
const ACCEPT = ["upgrade", "websocket", "Connection", "Upgrade", "Sec-WebSocket-Accept", "xyz="];
const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: xyz=\r\n\r\n";

Deno.test("upgrade gets the 101 unchanged, then bytes pass both ways", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(`${REQUEST}early`);
    const far = await nextStream();
    assert.deepEqual(far.opening, {
      type: "websocket_open",
      payload: {
        host: "a.test",
        port: 80,
        path: "/chat?x",
        headers: [
          ...["Host", "a.test", "Connection", "Upgrade", "Upgrade", "websocket"],
          ...["Sec-WebSocket-Key", "abc", "Sec-WebSocket-Version", "13"],
        ],
      },
    });
    assert.equal(await far.read(5), "early");
    near.send("more");
    const payload = { status: 101, reason: "Switching Protocols", headers: ACCEPT };
    far.stream.send({ type: "websocket_ack", payload }, new TextEncoder().encode("\x81\x02hi"));
    const expected = `${SWITCHED}\xc2\x81\x02hi`;
    assert.equal(await near.read(expected.length), expected);
    assert.equal(await far.read(4), "more");
    near.end();
    await far.end();
    far.stream.send({ type: "websocket_close", payload: {} }, undefined, { end: true });
    assert.equal(await near.rest(), "");
    assert.equal(near.outcome, "end");
    assert.equal(await far.over(), undefined);
  }));

Deno.test("upgrade accepts ws:// and a head that arrives byte by byte", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    await near.trickle(`GET ws://a.test:81/ HTTP/1.1\r\n${HEADERS}\r\n`);
    const far = await nextStream();
    assert.equal(far.opening.type, "websocket_open");
    assert.equal(far.opening.payload.port, 81);
    const hints = { status: 103, reason: "Early Hints", headers: ["Link", "</a>"] };
    far.stream.send({ type: "websocket_ack", payload: hints });
    const payload = { status: 101, reason: "Switching Protocols", headers: ACCEPT };
    far.stream.send({ type: "websocket_ack", payload });
    const expected = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${SWITCHED}`;
    assert.equal(await near.read(expected.length), expected);
  }));

Deno.test("refused upgrade reaches the client with its body", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const sized = ["wWW-Authenticate", "Basic", "Content-Length", "4", "Connection", "keep-alive"];
    const cases: [string[], string][] = [
      [
        sized,
        "HTTP/1.1 401 No\r\nwWW-Authenticate: Basic\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
      ],
      [
        [],
        "HTTP/1.1 401 No\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
      ],
    ];
    for (const [headers, expected] of cases) {
      const near = client();
      near.send(REQUEST);
      const far = await nextStream();
      far.stream.send({ type: "websocket_ack", payload: { status: 401, reason: "No", headers } });
      await near.readTo("\r\n\r\n").then((head) => near.text = head + near.text);
      far.write("body");
      far.stream.end();
      assert.equal(await near.rest(), expected);
      near.end();
      assert.equal(await far.over(), undefined);
    }
  }));

Deno.test("truncated response to a refused upgrade never looks complete", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    far.stream.send({ type: "websocket_ack", payload: { status: 401, reason: "No", headers: [] } });
    far.write("half");
    await near.readTo("half");
    far.stream.reset("target_reset", "the origin died");
    assert.equal((await near.rest()).includes("0\r\n\r\n"), false);
  }));

Deno.test("upgrade that fails gets a page", () =>
  withFrontDoor({}, async ({ client, nextStream, refused }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    const error = { code: "target_refused", message: "Cannot dial a.test:80" };
    far.stream.send({ type: "websocket_ack", payload: { error } }, undefined, { end: true });
    const page = await near.rest();
    assert.match(
      page,
      /^HTTP\/1\.1 502 Bad Gateway\r\n[^]*error=connection_refused[^]*Connection: close\r\n/,
    );
    near.end();
    const broken = client();
    broken.send(REQUEST);
    (await nextStream()).stream.reset("target_timeout", "too slow");
    assert.match(await broken.rest(), /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
    broken.end();
    assert.deepEqual(refused.map(({ protocol }) => protocol), ["websocket", "websocket"]);
  }));

Deno.test("upgrade in origin form gets a page that says that this is a proxy", () =>
  withFrontDoor({}, async ({ client }) => {
    const near = client();
    near.send(`GET /chat HTTP/1.1\r\nHost: a.test\r\n${HEADERS}\r\n`);
    assert.match(await near.rest(), /^HTTP\/1\.1 400 Bad Request\r\n[^]*this is a proxy/);
    near.end();
  }));

for (const how of ["end", "reset"] as const) {
  Deno.test(`upgrade of a client that goes away resets the stream (${how})`, () =>
    withFrontDoor({}, async ({ client, nextStream, settled }) => {
      const near = client();
      near.send(REQUEST);
      const far = await nextStream();
      await near.close(how);
      assert.equal((await far.over())?.code, "cancelled");
      await settled();
    }));
}
