import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { withFrontDoor } from "../../../tests/support/clients/front_door.ts";
import { answer } from "../../../tests/support/clients/answer.ts";
import { escapeTarget, toRequestError } from "./parse_error.ts";

const REST = "Host: a.test\r\nAccept: application/json\r\n\r\n";

/** Heads at which the parser fails, with the status and the details. */
const HEADS: readonly [string, number, RegExp][] = [
  ["FOOBAR http://a.test/ HTTP/1.1\r\n", 501, /the method "FOOBAR"/],
  ["get http://a.test/ HTTP/1.1\r\n", 501, /the method "get"/],
  ["GETX http://a.test/ HTTP/1.1\r\n", 501, /the method "GETX"/],
  ["GE http://a.test/ HTTP/1.1\r\n", 501, /the method "GE"/],
  ["DESCRIBE http://a.test/ HTTP/1.1\r\n", 501, /the method "DESCRIBE"/],
  ["GET http://a.test/ HTTP/1.2\r\n", 505, /HTTP\/1\.2/],
  ["GET http://a.test/ HTTP/3\r\n", 505, /HTTP\/3/],
  ["GET http://a.test/ HTTP/2.0\r\n", 505, /HTTP\/2\.0/],
  ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, /HTTP\/2\.0/],
  ["GET http://a.test/ HTTP/1.1 \r\n", 400, /not valid/],
  ["GET http://a.test/a b HTTP/1.1\r\n", 400, /not valid/],
  ["GET http://a.test/\xe9\x01 HTTP/1.1\r\n", 400, /not valid/],
  ["GET http://\xe9.test/ HTTP/1.1\r\n", 400, /not valid/],
  ["CONNECT \xe9.test:1 HTTP/1.1\r\n", 400, /not valid/],
  ["GET http://a.test/ HTTP/1.1\r\nX Y HTTP/1.1\r\n", 400, /not valid/],
  ["G(T http://a.test/ HTTP/1.1\r\n", 400, /not valid/],
  ["nonsense\r\n", 400, /not valid/],
  ["POST http://a.test/ HTTP/1.1\r\nContent-Length: x\r\n", 400, /not valid/],
  [`GET http://a.test/ HTTP/1.1\r\nX: ${"x".repeat(70_000)}\r\n`, 431, /65536 bytes/],
];

Deno.test("requests that cannot be parsed get a status and a reason", async (test) => {
  for (const [head, status, words] of HEADS) {
    await test.step(`${JSON.stringify(head.slice(0, 50))} is ${status}`, () =>
      withFrontDoor({}, async ({ client, refused }) => {
        const near = client();
        near.send(head + REST);
        const said = await near.rest();
        assert.match(said, new RegExp(`^HTTP/1\\.1 ${status} [^]*Proxy-Status: sallyport; error=`));
        assert.match(said, /\r\nConnection: close\r\n/);
        assert.match(refused[0]!.error.message, words);
        near.end();
      }));
  }
});

Deno.test("each error code of the parser has a status", () => {
  const cases: readonly [string, number][] = [
    ["HPE_HEADER_OVERFLOW", 431],
    ["HPE_CHUNK_EXTENSIONS_OVERFLOW", 413],
    ["HPE_PAUSED_H2_UPGRADE", 505],
    ["HPE_ERROR", 400],
    ["HPE_INVALID_EOF_STATE", 400],
    ["HPE_INVALID_CONSTANT", 400],
  ];
  for (const [code, status] of cases) {
    const { rule, message } = toRequestError({ code }, 100);
    assert.equal(rule.status, status, code);
    assert.match(message, /^Cannot parse the request: /);
  }
});

Deno.test("escapeTarget escapes only path and query of a complete request line", () => {
  const at = (text: string) => {
    const rawPacket = Buffer.from(text, "latin1");
    const bytesParsed = rawPacket.findIndex((byte) => byte >= 0x80);
    const found = escapeTarget({ code: "HPE_ERROR", rawPacket, bytesParsed }, false);
    return found && Buffer.from(found).toString("latin1");
  };
  assert.equal(
    at("GET /\xc3\xa9?\xff HTTP/1.1\r\nX: \xe9\r\n\r\n"),
    "GET /%C3%A9?%FF HTTP/1.1\r\nX: \xe9\r\n\r\n",
  );
  assert.equal(at("GET http://a/?\x80 HTTP/1.0\r\n"), "GET http://a/?%80 HTTP/1.0\r\n");
  assert.equal(at("GET http://a?\x80 HTTP/1.0\r\n"), "GET http://a?%80 HTTP/1.0\r\n");
  for (
    const text of [
      "GET http://\xe9/ HTTP/1.1\r\n",
      "CONNECT /\xe9 HTTP/1.1\r\n",
      "CONNECT \xe9:1 HTTP/1.1\r\n",
      "GET /\xe9 x HTTP/1.1\r\n",
      "GET /\xe9\x01 HTTP/1.1\r\n",
      "GET /\xe9 HTTP/1.1",
      "GET / HTTP/1.1\r\nX\xe9: 1\r\n",
      "zz GET /\xe9 HTTP/1.1\r\n",
    ]
  ) {
    assert.equal(at(text), undefined, text);
  }
});

Deno.test("paths that are not ASCII are escaped in each request of a connection, pipelined ones in order", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    const near = client();
    const get = (path: string) => `GET http://a.test/${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`;
    const served = async (path: string) => {
      const far = await nextStream();
      assert.equal(far.opening.type === "http_request" && far.opening.payload.path, path);
      answer(far, 200, ["Content-Length", "2"], path.slice(-2));
      assert.match(await near.readTo(`\r\n\r\n${path.slice(-2)}`), /^HTTP\/1\.1 200 /);
    };
    // More requests than the listeners that a socket may have without a warning: none is left behind.
    for (let i = 0; i < 12; i++) {
      near.send(get(`\xc3\xa9-${i + 10}`));
      await served(`/%C3%A9-${i + 10}`);
    }
    near.send(get("x-01") + get("\xe9-02") + get("\xe9-03") + get("x-04"));
    for (const path of ["/x-01", "/%E9-02", "/%E9-03", "/x-04"]) await served(path);
    for (const event of ["data", "end", "drain", "timeout"]) {
      assert.ok(near.socket.listenerCount(event) < 3, event);
    }
  }));

Deno.test("escapeTarget handles a method that may be part of another only when its start is known", () => {
  const rawOf = (text: string) => {
    const rawPacket = Buffer.from(text, "latin1");
    return { code: "HPE_ERROR", rawPacket, bytesParsed: rawPacket.indexOf(0xe9) };
  };
  for (const method of ["PATCH", "LOCK", "UNLOCK", "PROPPATCH", "SEARCH", "M-SEARCH"]) {
    const line = `${method} http://a.test/\xe9 HTTP/1.1\r\n`;
    // `UN` of `UNLOCK` may have come before, and what comes before in the same packet may be the end of a body.
    assert.equal(escapeTarget(rawOf(line), false), undefined, method);
    assert.equal(escapeTarget(rawOf(`\r\n\r\n${line}`), true), undefined, method);
    assert.ok(escapeTarget(rawOf(line), true), method);
  }
  for (const method of ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PROPFIND"]) {
    assert.ok(escapeTarget(rawOf(`${method} http://a.test/\xe9 HTTP/1.1\r\n`), false), method);
  }
});

Deno.test("the end of a body does not become part of the next method", () =>
  withFrontDoor({}, async ({ client, nextStream, refused, streamCount }) => {
    const near = client();
    const lock = "LOCK http://a.test/\xe9 HTTP/1.1\r\n";
    near.send(`POST http://a.test/ HTTP/1.1\r\nContent-Length: 2\r\n\r\nUN${lock}${REST}`);
    const far = await nextStream();
    await far.end();
    assert.equal(far.text, "UN");
    answer(far, 200, ["Content-Length", "2"], "ok");
    assert.match(
      await near.rest(),
      /\r\n\r\nokHTTP\/1\.1 400 [^]*Percent-encode the bytes of its URL that are not ASCII/,
    );
    assert.equal(refused.length, 1);
    assert.equal(streamCount(), 0);
    near.end();
  }));

Deno.test("a connection's first request may have any method and a path that is not ASCII", () =>
  withFrontDoor({}, async ({ client, nextStream }) => {
    for (const method of ["PATCH", "UNLOCK", "GET"]) {
      const near = client();
      near.send(`${method} http://a.test/\xe9 HTTP/1.1\r\nContent-Length: 0\r\n${REST}`);
      const far = await nextStream();
      assert.ok(far.opening.type === "http_request");
      assert.equal(far.opening.payload.method, method);
      assert.equal(far.opening.payload.path, "/%E9");
      answer(far, 200, ["Content-Length", "2"], "ok");
      await near.readTo("ok");
    }
  }));
