import assert from "node:assert/strict";
import { answer } from "../../../tests/support/clients/answer.ts";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";

const GET = "GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n";
const KEEP = "Connection: keep-alive\r\n";

Deno.test("response without a length is chunked for HTTP/1.1, with trailers", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(GET);
    const far = await nextStream();
    answer(far, 200, ["Trailer", "X-Sum"]);
    assert.equal(
      await near.readTo("\r\n\r\n"),
      `HTTP/1.1 200 Fine\r\nTrailer: X-Sum\r\n${KEEP}Transfer-Encoding: chunked\r\n\r\n`,
    );
    far.write("one");
    assert.equal(await near.readTo("one\r\n"), "3\r\none\r\n");
    far.stream.end(["X-Sum", "9", "Content-Length", "3"]);
    assert.equal(await near.readTo("\r\n\r\n"), "0\r\nX-Sum: 9\r\n\r\n");
  }));

Deno.test("response without a length ends with the connection for HTTP/1.0", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send("GET http://a.test/ HTTP/1.0\r\nTE: chunked\r\n\r\n");
    const far = await nextStream();
    far.stream.send({ type: "http_response", payload: { status: 103, reason: "Early", headers: [] } });
    answer(far, 200, ["Trailer", "X"], "body", ["X", "1"]);
    assert.equal(await near.rest(), "HTTP/1.1 200 Fine\r\nConnection: close\r\n\r\nbody");
    assert.equal(near.outcome, "end");
  }));

Deno.test("HEAD, 204 and 304 have no body, whatever their length field says", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304]] as const) {
      near.send(`${method} http://a.test/ HTTP/1.1\r\n\r\n`);
      const far = await nextStream();
      answer(far, status, ["Content-Length", "7", "Trailer", "X"], "");
      const expected = `HTTP/1.1 ${status} Fine\r\nContent-Length: 7\r\n${KEEP}\r\n`;
      assert.equal(await near.read(expected.length), expected);
    }
    near.send("HEAD http://a.test/ HTTP/1.1\r\n\r\n");
    const far = await nextStream();
    answer(far, 200, ["X", "1"], "");
    const expected = `HTTP/1.1 200 Fine\r\nX: 1\r\n${KEEP}\r\n`;
    assert.equal(await near.read(expected.length), expected);
  }));

Deno.test("interim responses are forwarded, 100 only if the client expects it", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    near.send(GET);
    const far = await nextStream();
    const headers = ["lInk", "</a>", "Connection", "y", "Y", "1"];
    far.stream.send({ type: "http_response", payload: { status: 100, reason: "Continue", headers: [] } });
    far.stream.send({ type: "http_response", payload: { status: 103, reason: "Early Hints", headers } });
    assert.equal(await near.readTo("\r\n\r\n"), "HTTP/1.1 103 Early Hints\r\nlInk: </a>\r\n\r\n");
    answer(far, 200, ["Content-Length", "0"], "");
    assert.match(await near.readTo("\r\n\r\n"), /^HTTP\/1\.1 200 Fine/);
  }));

Deno.test("truncated response never looks complete", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    for (const headers of [["Content-Length", "9"], []]) {
      const near = client();
      near.send(GET);
      const far = await nextStream();
      answer(far, 200, headers);
      far.write("half");
      await near.readTo("half");
      far.stream.reset("target_reset", "the origin died");
      assert.equal((await near.rest()).includes("0\r\n\r\n"), false);
    }
    const old = client();
    old.send("GET http://a.test/ HTTP/1.0\r\n\r\n");
    const far = await nextStream();
    answer(far, 200, []);
    far.write("half");
    await old.readTo("half");
    far.stream.reset("target_reset", "the origin died");
    await old.rest();
    assert.equal(old.outcome, "reset");
  }));

Deno.test("response waits for a client that does not read", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const size = 16 * 1_048_576;
    const near = client();
    near.send(GET);
    const far = await nextStream();
    near.socket.pause();
    answer(far, 200, ["Content-Length", String(size)], undefined);
    for (let i = 0; i < 16; i++) far.write("x".repeat(1_048_576));
    far.stream.end();
    const other = client();
    other.send(GET);
    answer(await nextStream(), 200, ["Content-Length", "2"], "ok");
    await other.readTo("ok");
    assert.ok(far.stream.bytesOut < size, "all of it was sent");
    near.socket.resume();
    await near.readTo("\r\n\r\n");
    assert.equal((await near.read(size)).length, size);
    assert.equal(await far.over(), undefined);
  }));
