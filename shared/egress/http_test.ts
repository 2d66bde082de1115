import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Forwarding, responseOf } from "../../tests/support/origins/forwarding.ts";
import { readUntil } from "../../tests/support/origins/socket_origin.ts";
import { within } from "../../tests/support/within.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const headEnds = (text: string) => text.includes("\r\n\r\n");
const headRead = (socket: Socket) => readUntil(socket, headEnds);
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const VIA = ["Via", "1.1 sallyport"];

Deno.test("http forwards a request and its response with case, order, repetition and bytes", () =>
  Forwarding.run(async (forwarding) => {
    const headers = [
      "X-b",
      "\xe9\xff",
      "hOST",
      "A.example",
      "x-B",
      "2",
      "Accept-Encoding",
      "br",
      "Connection",
    ];
    const near = await forwarding.http({ path: "/p?q=%20", headers: [...headers, "X-Gone", "x-gone", "1"] });
    const target = await forwarding.origin.next();
    assert.equal(
      await headRead(target),
      "GET /p?q=%20 HTTP/1.1\r\nX-b: \xe9\xff\r\nhOST: A.example\r\nx-B: 2\r\nAccept-Encoding: br\r\n" +
        "Via: 1.1 sallyport\r\nConnection: keep-alive\r\n\r\n",
    );
    const answer =
      "HTTP/1.1 203 Some What\r\nSet-Cookie: a=1\r\nContent-Encoding: br\r\nset-cookie: b=\xe9\r\n" +
      "Keep-Alive: timeout=5\r\nConnection: x-hop, keep-alive\r\nX-Hop: 1\r\nContent-Length: 3\r\n\r\n\x01\xff\x02";
    target.write(answer, "latin1");
    const got = await responseOf(near);
    assert.deepEqual(got.messages, [{
      type: "http_response",
      payload: {
        ...{ status: 203, reason: "Some What" },
        headers: [
          ...["Set-Cookie", "a=1", "Content-Encoding", "br", "set-cookie", "b=\xe9", "Content-Length", "3"],
          ...VIA,
        ],
      },
    }]);
    assert.deepEqual([...got.bytes], [1, 255, 2]);
    const { durationMs: _, ...result } = await forwarding.result();
    assert.deepEqual(result, {
      ...{ kind: "http_request", target: `a.example:${forwarding.origin.port}`, address: "127.0.0.1" },
      ...{ status: 203, bytesIn: 0, bytesOut: 3 },
    });
  }));

Deno.test("http adds Host from the target if the client sent none", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http({ headers: ["A", "b"] });
    const target = await forwarding.origin.next();
    assert.match(
      await headRead(target),
      new RegExp(`^GET / HTTP/1.1\r\nHost: a.example:${forwarding.origin.port}\r`),
    );
    target.write(OK);
    await responseOf(near);
  }));

Deno.test("http sends neither body nor chunks for a request without a body, with any method", () =>
  Forwarding.run(async (forwarding) => {
    let target: Socket | undefined;
    for (
      const method of ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "POST", "PROPFIND", "PATCH", "MKCOL"]
    ) {
      const path = method === "OPTIONS" ? "*" : "/";
      const near = await forwarding.http({ method, path });
      target ??= await forwarding.origin.next();
      const empty = ["POST", "PROPFIND", "PATCH", "MKCOL"].includes(method) ? "Content-Length: 0\r\n" : "";
      assert.equal(
        await headRead(target),
        `${method} ${path} HTTP/1.1\r\nHost: a.example\r\n${empty}Via: 1.1 sallyport\r\nConnection: keep-alive\r\n\r\n`,
      );
      target.write(method === "HEAD" ? OK.slice(0, -2) : OK);
      assert.equal((await responseOf(near)).text, method === "HEAD" ? "" : "ok", method);
    }
    assert.equal(forwarding.origin.accepted, 1, "one connection serves all");
  }));

Deno.test("http keeps a body's length, and sends chunks without one", () =>
  Forwarding.run(async (forwarding) => {
    const known = await forwarding.http(
      { method: "PUT", headers: ["Host", "a", "content-LENGTH", "9"] },
      bytes("some"),
      {},
    );
    known.write(bytes(" body"));
    known.end();
    const target = await forwarding.origin.next();
    const first = await readUntil(target, (text) => text.endsWith("body"));
    assert.ok(
      first.endsWith("content-LENGTH: 9\r\nVia: 1.1 sallyport\r\nConnection: keep-alive\r\n\r\nsome body"),
    );
    target.write(OK);
    await responseOf(known);
    const open = await forwarding.http({ method: "GET", headers: ["Host", "a"] }, bytes("some"), {});
    const second = readUntil(target, (text) => text.endsWith("0\r\n\r\n"));
    open.end();
    assert.match(await second, /^GET \/.*Transfer-Encoding: chunked\r\n.*\r\n\r\n4\r\nsome\r\n0\r\n\r\n$/s);
    target.write(OK);
    await responseOf(open);
  }));

Deno.test("http relays trailers in both directions", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http(
      { method: "POST", headers: ["Host", "a", "Trailer", "Sum", "TE", "trailers", "Connection", "TE"] },
      bytes("x"),
      {},
    );
    near.end(["Sum", "1", "Content-Length", "9"]);
    const target = await forwarding.origin.next();
    const seen = await readUntil(target, (text) => text.endsWith("\r\n\r\n") && text.includes("\r\n0\r\n"));
    assert.match(seen, /\r\nTrailer: Sum\r\nTE: trailers\r\n.*\r\nConnection: TE, keep-alive\r\n/s);
    assert.ok(seen.endsWith("1\r\nx\r\n0\r\nSum: 1\r\n\r\n"), seen);
    target.write(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n2\r\nok\r\n0\r\nT: \xe9\r\nt: 2\r\n\r\n",
      "latin1",
    );
    const got = await responseOf(near);
    assert.deepEqual([got.text, got.trailers], ["ok", ["T", "\xe9", "t", "2"]]);
    const head = got.messages[0]!;
    assert.ok(head.type === "http_response");
    assert.deepEqual(head.payload.headers, ["Trailer", "T", ...VIA]);
  }));

Deno.test("http sends the trailers of an empty body whose end comes with the opening", () =>
  Forwarding.run(async (forwarding) => {
    const request = { method: "POST", headers: ["Host", "a", "Trailer", "Sum"] };
    const withTrailers = await forwarding.http(request, undefined, { end: true, trailers: ["Sum", "1"] });
    const target = await forwarding.origin.next();
    const via = "Via: 1.1 sallyport\r\nConnection: keep-alive\r\n\r\n";
    assert.equal(
      await readUntil(target, (text) => text.endsWith("\r\n\r\n") && text.includes("\r\n0\r\n")),
      `POST / HTTP/1.1\r\nHost: a\r\nTrailer: Sum\r\nTransfer-Encoding: chunked\r\n${via}0\r\nSum: 1\r\n\r\n`,
    );
    target.write(OK);
    await responseOf(withTrailers);
    const without = await forwarding.http(request, undefined, { end: true });
    assert.equal(await headRead(target), `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n${via}`);
    target.write(OK);
    await responseOf(without);
  }));

Deno.test("http relays interim responses, and the body only after the client sent it", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http(
      { method: "POST", headers: ["Host", "a", "Expect", "100-continue", "Content-Length", "4"] },
      undefined,
      {},
    );
    const target = await forwarding.origin.next();
    assert.match(await headRead(target), /\r\nExpect: 100-continue\r\n/);
    const seen: unknown[] = [];
    const [going, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    near.listen({
      message: (message) => {
        assert.ok(message.type === "http_response");
        seen.push([message.payload.status, message.payload.headers]);
        if (message.payload.status === 100) going.resolve();
      },
      end: () => done.resolve(),
    });
    near.resume();
    target.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
    await within(5_000, going.promise, "100");
    near.write(bytes("body"));
    near.end();
    await readUntil(target, (text) => text.endsWith("body"));
    target.write(OK);
    await within(5_000, done.promise, "the end");
    assert.deepEqual(seen, [
      [103, ["Link", "</a>", ...VIA]],
      [100, VIA],
      [200, ["Content-Length", "2", ...VIA]],
    ]);
  }));

Deno.test("http relays at most 32 interim responses", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http({});
    const target = await forwarding.origin.next();
    await headRead(target);
    target.write("HTTP/1.1 102 Processing\r\n\r\n".repeat(40) + OK);
    assert.equal((await responseOf(near)).messages.length, 33);
  }));

Deno.test("http gives up on an origin that sends endless interim responses", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http({});
    const target = await forwarding.origin.next();
    await headRead(target);
    target.write("HTTP/1.1 102 Processing\r\n\r\n".repeat(129));
    const last = (await responseOf(near)).messages.at(-1);
    assert.ok(last?.type === "http_response");
    assert.equal(last.payload.error?.code, "target_protocol");
  }));

Deno.test("http relays responses without a body", () =>
  Forwarding.run(async (forwarding) => {
    const answers = [
      ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
      ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
      ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
    ] as const;
    let target: Socket | undefined;
    for (const [method, answer] of answers) {
      const near = await forwarding.http({ method });
      target ??= await forwarding.origin.next();
      await headRead(target);
      target.write(answer);
      const got = await responseOf(near);
      const head = got.messages[0]!;
      assert.ok(head.type === "http_response");
      assert.deepEqual(head.payload.headers, [
        ...answer.includes("5") ? ["Content-Length", "5"] : [],
        ...VIA,
      ]);
      assert.equal(got.text, "");
    }
    assert.equal(forwarding.origin.accepted, 1);
  }));

Deno.test("http treats the end of the connection as the end of a body without a length", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.http({});
    const target = await forwarding.origin.next();
    await headRead(target);
    target.end("HTTP/1.0 200 OK\r\n\r\nto the end");
    const got = await responseOf(near);
    assert.equal(got.text, "to the end");
    const head = got.messages[0]!;
    assert.ok(head.type === "http_response");
    assert.deepEqual(head.payload.headers, ["Via", "1.0 sallyport"]);
  }));

Deno.test("http does not share a connection that authenticates a user", () =>
  Forwarding.run(async (forwarding) => {
    for (const scheme of ["NTLM", "negotiate"]) {
      const near = await forwarding.http({ headers: ["Host", "a", "Authorization", `${scheme} abc`] });
      const target = await forwarding.origin.next();
      assert.match(await headRead(target), /\r\nConnection: close\r\n/);
      target.write(OK);
      assert.equal((await responseOf(near)).text, "ok");
    }
  }));
