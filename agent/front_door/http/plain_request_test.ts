import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { answer } from "../../../tests/support/clients/answer.ts";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";

const GET = "GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n";
const KEEP = "Connection: keep-alive\r\n";

Deno.test("plain request opens a stream and gets the response unchanged", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(
      "GET http://a.test:81/p?q=%20 HTTP/1.1\r\nhOsT: other\r\nX-One: 1\r\nProxy-Connection: keep-alive\r\n" +
        "Connection: X-Hop\r\nX-Hop: 1\r\nx-one: \xe9\r\n\r\n",
    );
    const far = await nextStream();
    assert.deepEqual(far.opening, {
      type: "http_request",
      payload: {
        method: "GET",
        host: "a.test",
        port: 81,
        path: "/p?q=%20",
        headers: ["hOsT", "a.test:81", "X-One", "1", "x-one", "\xe9"],
      },
    });
    await far.end();
    answer(far, 299, ["sEt-Cookie", "a", "Set-Cookie", "b", "X", "\xe9", "Content-Length", "2"], "hi");
    const expected =
      `HTTP/1.1 299 Fine\r\nsEt-Cookie: a\r\nSet-Cookie: b\r\nX: \xe9\r\nContent-Length: 2\r\n` +
      `${KEEP}\r\nhi`;
    assert.equal(await near.read(expected.length), expected);
    assert.equal(await far.over(), undefined);
  }));

Deno.test("plain requests on one connection each get their own stream", () =>
  withFrontDoor({}, async ({ client, nextStream, frontDoor }) => {
    const near = client();
    for (const host of ["a.test", "b.test", "c.test"]) {
      near.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const far = await nextStream();
      assert.equal(far.opening.payload.host, host);
      answer(far, 200, ["Content-Length", "6"], host);
      assert.match(await near.readTo(host), /^HTTP\/1\.1 200 Fine\r\n/);
    }
    assert.equal(frontDoor.connectionCount, 1);
  }));

Deno.test("plain request may arrive byte by byte", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    await near.trickle("POST http://a.test/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    const far = await nextStream();
    assert.deepEqual(far.opening.payload, {
      method: "POST",
      host: "a.test",
      port: 80,
      path: "/",
      headers: ["Host", "a.test", "Content-Length", "3"],
    });
    assert.equal(await far.read(3), "abc");
    await far.end();
    answer(far, 200, ["Content-Length", "0"], "");
    await near.readTo(`${KEEP}\r\n`);
  }));

Deno.test("pipelined requests are served in order", () =>
  withFrontDoor({}, async ({ client, nextStream, streamCount }) => {
    const near = client();
    near.send(GET + GET.replace("/x", "/y") + GET.replace("/x", "/z"));
    for (const path of ["/x", "/y", "/z"]) {
      const far = await nextStream();
      assert.equal(streamCount(), 1);
      assert.equal(far.opening.type === "http_request" && far.opening.payload.path, path);
      answer(far, 200, ["Content-Length", "2"], path);
    }
    const each = (path: string) => `HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n${KEEP}\r\n${path}`;
    const expected = each("/x") + each("/y") + each("/z");
    assert.equal(await near.read(expected.length), expected);
  }));

Deno.test("all methods are forwarded, with a body only if there is one", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "PURGE"]) {
      near.send(`${method} http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n`);
      const far = await nextStream();
      assert.deepEqual(far.opening.payload, {
        method,
        host: "a.test",
        port: 80,
        path: "/",
        headers: ["Host", "a.test"],
      });
      assert.ok(far.ended || await far.end() === undefined);
      answer(far, 200, ["Content-Length", "0"], "");
      await near.readTo(`${KEEP}\r\n`);
    }
  }));

Deno.test("chunked request body loses its chunks and keeps its trailers", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(
      "POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    const far = await nextStream();
    assert.deepEqual(far.opening.payload.host, "a.test");
    assert.equal(await far.read(3), "abc");
    assert.equal(far.ended, false);
    near.send("2\r\nde\r\n0\r\nX-Sum: 5\r\nHost: evil\r\n\r\n");
    assert.equal(await far.read(2), "de");
    await far.end();
    assert.deepEqual(far.trailers, ["X-Sum", "5"]);
    answer(far, 200, ["Content-Length", "0"], "");
    await near.readTo(`${KEEP}\r\n`);
  }));

Deno.test("Expect: 100-continue is answered by the origin", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(
      "PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    const far = await nextStream();
    assert.equal(near.text, "");
    far.stream.send({ type: "http_response", payload: { status: 100, reason: "Continue", headers: [] } });
    assert.equal(await near.readTo("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    near.send("ok");
    assert.equal(await far.read(2), "ok");
    answer(far, 200, ["Content-Length", "0"], "");
    assert.equal(await near.readTo("\r\n\r\n"), `HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n${KEEP}\r\n`);
  }));

Deno.test("Expect: 100-continue without a 100 closes the connection", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(
      "PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    );
    const far = await nextStream();
    answer(far, 413, ["Content-Length", "0"], "");
    assert.equal(await near.rest(), "HTTP/1.1 413 Fine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }));

Deno.test("upgrade to h2c is not forwarded, but the request is", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(
      GET.replace(
        "\r\n\r\n",
        "\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
      ),
    );
    const far = await nextStream();
    assert.equal(far.opening.type, "http_request");
    assert.deepEqual(far.opening.type === "http_request" && far.opening.payload.headers, ["Host", "a.test"]);
    answer(far, 200, ["Content-Length", "0"], "");
    await near.readTo("\r\n\r\n");
  }));

Deno.test("request body waits for a target that does not read", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const size = 32 * 1_048_576;
    const near = client();
    near.send(`PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${size}\r\n\r\n`);
    near.send("x".repeat(size));
    const far = await nextStream(true);
    await far.until(() => far.received >= 262_144, "a window of bytes");
    // Another request goes through meanwhile.
    const other = client();
    other.send(GET);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await other.readTo("ok");
    assert.equal(far.received, 262_144);
    assert.ok(near.socket.writableLength > 0, "the client has sent it all");
    while (far.received < size) {
      const before = far.received;
      far.consume();
      await far.until(() => far.received > before, "more bytes");
    }
    await far.end();
    far.consume();
    answer(far, 200, ["Content-Length", "2"], "ok");
    await near.readTo("ok");
  }));

Deno.test("response before the end of the request leaves the connection usable", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send("POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 6\r\n\r\nabc");
    const far = await nextStream();
    assert.equal(await far.read(3), "abc");
    answer(far, 200, ["Content-Length", "2"], "ok");
    await near.readTo("ok");
    near.send(`def${GET}`);
    assert.equal(await far.read(3), "def");
    assert.equal(await far.over(), undefined);
    answer(await nextStream(), 200, ["Content-Length", "3"], "two");
    await near.readTo("two");
  }));

Deno.test("bodies are unchanged in both directions", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const body = Array.from(
      { length: 32 },
      () => Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))),
    );
    const text = Buffer.concat(body).toString("latin1");
    const near = client();
    near.send(`PUT http://a.test/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    const far = await nextStream();
    assert.ok(await far.read(text.length) === text);
    answer(far, 200, ["Content-Length", String(text.length)]);
    for (const part of body) far.stream.write(part);
    far.stream.end();
    await near.readTo("\r\n\r\n");
    assert.ok(await near.read(text.length) === text);
  }));
