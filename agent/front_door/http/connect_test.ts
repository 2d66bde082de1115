import assert from "node:assert/strict";
import { SallyportError } from "../../../shared/errors.ts";
import { assertEndsInOrder, withFrontDoor } from "../../../tests/support/clients/front_door.ts";

const REQUEST = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n";
const ESTABLISHED = "HTTP/1.1 200 Connection established\r\n\r\n";
const ACK = { type: "connect_ack", payload: {} } as const;

Deno.test("CONNECT answers 200 and then carries bytes both ways", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    assert.deepEqual(far.opening, { type: "connect_request", payload: { host: "a.test", port: 443 } });
    far.stream.send(ACK);
    assert.equal(await near.readTo("\r\n\r\n"), ESTABLISHED);
    near.send("up");
    assert.equal(await far.read(2), "up");
    far.write("down");
    assert.equal(await near.read(4), "down");
    await assertEndsInOrder(near, far);
  }));

Deno.test("CONNECT accepts IPv4, IPv6 and any port, even byte by byte", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    for (const [text, host, port] of [["192.0.2.1:1", "192.0.2.1", 1], ["[::1]:65535", "::1", 65_535]]) {
      const near = client();
      await near.trickle(`CONNECT ${text} HTTP/1.1\r\n\r\n`);
      const far = await nextStream();
      assert.deepEqual(far.opening.payload, { host, port });
      far.stream.send(ACK, undefined, { end: true });
      assert.equal(await near.rest(), ESTABLISHED);
      near.end();
      assert.equal(await far.over(), undefined);
    }
  }));

Deno.test("CONNECT loses no early data, whenever it arrives", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(`${REQUEST}one `);
    const far = await nextStream();
    assert.equal(await far.read(4), "one ");
    await near.trickle("two ");
    far.stream.send(ACK);
    assert.equal(await near.readTo("\r\n\r\n"), ESTABLISHED);
    near.send("three");
    assert.equal(await far.read(9), "two three");
  }));

Deno.test("CONNECT treats early data and a half-close in one packet as a client that still listens", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(`${REQUEST}all I have`);
    near.end();
    await new Promise<void>((resolve) => near.socket.once("finish", resolve));
    const far = await nextStream();
    assert.equal(await far.read(10), "all I have");
    far.stream.send(ACK, new TextEncoder().encode("answer"));
    await far.end();
    far.stream.end();
    assert.equal(await near.rest(), `${ESTABLISHED}answer`);
    assert.equal(await far.over(), undefined);
  }));

Deno.test("CONNECT sends the target's first bytes after the response", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    far.stream.send(ACK, new TextEncoder().encode("220 hello"));
    assert.equal(await near.read(ESTABLISHED.length + 9), `${ESTABLISHED}220 hello`);
  }));

Deno.test("CONNECT half-closes from the client's side, even before the response", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    near.send("all I have");
    near.end();
    await new Promise<void>((resolve) => near.socket.once("finish", resolve));
    far.stream.send(ACK);
    assert.equal(await far.read(10), "all I have");
    await far.end();
    far.write("and all of mine");
    far.stream.end();
    assert.equal(await near.rest(), `${ESTABLISHED}and all of mine`);
    assert.equal(near.outcome, "end");
    assert.equal(await far.over(), undefined);
  }));

Deno.test("CONNECT half-closes from the target's side", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    far.stream.send(ACK);
    far.stream.end();
    assert.equal(await near.rest(), ESTABLISHED);
    near.send("still here");
    assert.equal(await far.read(10), "still here");
    near.end();
    assert.equal(await far.over(), undefined);
  }));

Deno.test("CONNECT reports why the target was not reached", () =>
  withFrontDoor({}, async ({ client, nextStream, refused }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    const error = { code: "target_refused", message: "Cannot dial a.test:443" };
    far.stream.send({ type: "connect_ack", payload: { error } }, undefined, { end: true });
    const answer = await near.rest();
    assert.match(answer, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
    assert.match(
      answer,
      /\r\nProxy-Status: sallyport; error=connection_refused; details="target_refused: Cannot dial a.test:443"\r\n/,
    );
    assert.match(answer, /\r\nConnection: close\r\n\r\n502 Bad Gateway\n/);
    assert.equal(near.outcome, "end");
    near.end();
    assert.equal(await far.over(), undefined);
    assert.deepEqual(refused.map(({ protocol, target }) => [protocol, target]), [["connect", "a.test:443"]]);
  }));

Deno.test("CONNECT gets 503 with Retry-After while there is no tunnel", () => {
  const openStream = () => Promise.reject(new SallyportError("tunnel_down", "no connection"));
  return withFrontDoor({ openStream, retryAfterMs: () => 1_500 }, async ({ client }) => {
    const near = client();
    near.send(REQUEST);
    const answer = await near.rest();
    assert.match(answer, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
    assert.match(answer, /\r\nRetry-After: 2\r\n/);
  });
});

Deno.test("CONNECT refuses an invalid authority without opening a stream", () => {
  const openStream = () => Promise.reject(new Error("must not be called"));
  return withFrontDoor({ openStream }, async ({ client }) => {
    for (const bad of ["a.test", "a.test:0", "a.test:65536", "[::1:80", "http://a.test/"]) {
      const near = client();
      near.send(`CONNECT ${bad} HTTP/1.1\r\n\r\n`);
      assert.match(await near.rest(), /^HTTP\/1\.1 400 Bad Request\r\n/, bad);
      near.end();
    }
  });
});

for (const how of ["end", "reset"] as const) {
  Deno.test(`CONNECT resets the stream of a client that goes away while it waits (${how})`, () =>
    withFrontDoor({}, async ({ client, nextStream, settled }) => {
      const near = client();
      near.send(REQUEST);
      const far = await nextStream();
      await near.close(how);
      assert.equal((await far.over())?.code, "cancelled");
      await settled();
    }));
}

Deno.test("CONNECT resets a stream that opens after its client went away", async () => {
  const asked = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let reset: unknown[] = [];
  const openStream = async () => {
    asked.resolve();
    await go.promise;
    // deno-lint-ignore no-explicit-any
    return { reset: (...given: unknown[]) => reset = given } as any;
  };
  await withFrontDoor({ openStream }, async ({ client, settled }) => {
    const near = client();
    near.send(REQUEST);
    await asked.promise;
    await near.close();
    await settled();
    go.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(reset[0], "cancelled");
  });
});

Deno.test("CONNECT resets the stream when the client breaks off", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    far.stream.send(ACK);
    await near.readTo("\r\n\r\n");
    await near.close("reset");
    assert.equal((await far.over())?.code, "cancelled");
  }));

Deno.test("CONNECT resets the client when the stream breaks", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(REQUEST);
    const far = await nextStream();
    far.stream.send(ACK);
    await near.readTo("\r\n\r\n");
    far.stream.reset("target_reset", "gone");
    await near.rest();
    assert.equal(near.outcome, "reset");
  }));

Deno.test("CONNECT after a request waits for that request's response", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(`GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n${REQUEST}early`);
    const first = await nextStream();
    const headers = ["Content-Length", "2"];
    first.stream.send(
      { type: "http_response", payload: { status: 200, reason: "OK", headers } },
      new TextEncoder().encode("hi"),
      { end: true },
    );
    const second = await nextStream();
    assert.equal(await second.read(5), "early");
    second.stream.send(ACK);
    assert.match(await near.readTo(ESTABLISHED), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhiHTTP/);
  }));
