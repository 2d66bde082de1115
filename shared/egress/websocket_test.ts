import assert from "node:assert/strict";
import { collect } from "../../tests/support/mux/collect.ts";
import { Forwarding, responseOf } from "../../tests/support/origins/forwarding.ts";
import { readToEnd, readUntil, socketClosed } from "../../tests/support/origins/socket_origin.ts";
import { within } from "../../tests/support/within.ts";
import type { HeaderList, OpeningMessage } from "../protocol/messages.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const headEnds = (text: string) => text.includes("\r\n\r\n");
const HANDSHAKE = [
  ...["Host", "a.example", "Upgrade", "websocket", "Connection", "keep-alive, Upgrade"],
  ...["sec-websocket-KEY", "dGhl", "Sec-WebSocket-Version", "13"],
  ...["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"],
  ...["Sec-WebSocket-Protocol", "chat, superchat"],
];
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n" +
  "sec-websocket-ACCEPT: s3pP\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

const opening = (forwarding: Forwarding, headers: HeaderList = HANDSHAKE): OpeningMessage => ({
  type: "websocket_open",
  payload: { host: "a.example", port: forwarding.origin.port, path: "/chat?x=1", headers },
});

Deno.test("websocket relays the handshake and then raw bytes, including those after the 101 in the same read", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(opening(forwarding), bytes("\x81\x85early"));
    const target = await forwarding.origin.next();
    assert.equal(
      await readUntil(target, headEnds),
      "GET /chat?x=1 HTTP/1.1\r\nHost: a.example\r\nsec-websocket-KEY: dGhl\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" +
        "Sec-WebSocket-Protocol: chat, superchat\r\nVia: 1.1 sallyport\r\nConnection: Upgrade\r\n" +
        "Upgrade: websocket\r\n\r\n",
    );
    target.write(SWITCH + "head");
    await readUntil(target, (text) => text.endsWith("early"));
    target.end(" and tail");
    const got = await responseOf(near);
    assert.deepEqual(got.messages, [{
      type: "websocket_ack",
      payload: {
        ...{ status: 101, reason: "Switching Protocols" },
        headers: [
          ...["Upgrade", "WebSocket", "Connection", "upgrade", "sec-websocket-ACCEPT", "s3pP"],
          ...["Sec-WebSocket-Extensions", "permessage-deflate", "Via", "1.1 sallyport"],
        ],
      },
    }]);
    assert.equal(got.text, "head and tail");
    near.write(bytes("still"));
    near.end();
    assert.equal(await readToEnd(target), "still");
    const { durationMs: _, bytesIn: _in, ...result } = await forwarding.result();
    assert.deepEqual(result, {
      ...{ kind: "websocket_open", target: `a.example:${forwarding.origin.port}`, address: "127.0.0.1" },
      ...{ status: 101, bytesOut: 13 },
    });
  }));

Deno.test("websocket relays any other response with its body", () =>
  Forwarding.run(async (forwarding) => {
    for (const framing of ["Content-Length: 4\r\n", "Connection: close\r\n"]) {
      const near = await forwarding.open(opening(forwarding));
      const target = await forwarding.origin.next();
      await readUntil(target, headEnds);
      target.write(`HTTP/1.1 426 Upgrade Required\r\nX-Why: version\r\n${framing}\r\nbody`);
      if (framing.startsWith("Conn")) target.end();
      const got = await responseOf(near);
      const length = framing.startsWith("Content") ? ["Content-Length", "4"] : [];
      assert.deepEqual(got.messages, [{
        type: "websocket_ack",
        payload: {
          ...{ status: 426, reason: "Upgrade Required" },
          headers: ["X-Why", "version", ...length, "Via", "1.1 sallyport"],
        },
      }]);
      assert.equal(got.text, "body");
      near.end();
      target.destroy();
    }
    assert.deepEqual((await forwarding.result(2)).status, 426);
  }));

Deno.test("websocket responds with the error", () =>
  Forwarding.run(async (forwarding) => {
    const answers: [string, string][] = [["SSH-2.0\r\n", "target_protocol"], ["", "target_reset"]];
    for (const [answer, code] of answers) {
      const near = await forwarding.open(opening(forwarding));
      const target = await forwarding.origin.next();
      await readUntil(target, headEnds);
      target.end(answer);
      const ack = (await responseOf(near)).messages[0]!;
      assert.ok(ack.type === "websocket_ack");
      assert.equal(ack.payload.error?.code, code);
      near.end();
    }
    const payload = { ...opening(forwarding).payload, host: "denied.example", path: "/", headers: [] };
    const near = await forwarding.open({ type: "websocket_open", payload });
    const ack = (await responseOf(near)).messages[0]!;
    assert.ok(ack.type === "websocket_ack");
    assert.equal(ack.payload.error?.code, "target_denied");
    near.end();
  }));

Deno.test("websocket resets a stream whose other response ends early", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(opening(forwarding));
    const got = assert.rejects(collect(near), { code: "target_reset" });
    const target = await forwarding.origin.next();
    await readUntil(target, headEnds);
    target.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nhalf");
    await within(5_000, got, "the reset");
  }));

Deno.test("websocket closes the target's connection when the client cancels, before and after the 101", () =>
  Forwarding.run(async (forwarding) => {
    for (const answer of ["", SWITCH]) {
      const near = await forwarding.open(opening(forwarding));
      const target = await forwarding.origin.next();
      await readUntil(target, headEnds);
      const acked = Promise.withResolvers<void>();
      near.listen({ message: () => acked.resolve() });
      near.resume();
      target.write(answer);
      if (answer !== "") await within(5_000, acked.promise, "the 101");
      const closed = socketClosed(target.resume());
      target.on("end", () => target.end());
      near.reset("cancelled", "gone");
      await closed;
    }
    assert.equal((await forwarding.result(2)).code, "cancelled");
  }));

Deno.test("websocket gives up on a target that does not respond", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(opening(forwarding));
    await readUntil(await forwarding.origin.next(), headEnds);
    forwarding.clock.advance(60_000);
    const ack = (await responseOf(near)).messages[0]!;
    assert.ok(ack.type === "websocket_ack");
    assert.equal(ack.payload.error?.code, "target_timeout");
    near.end();
  }));

Deno.test("websocket gives up on a target that sends endless interim responses", () =>
  Forwarding.run(async (forwarding) => {
    const near = await forwarding.open(opening(forwarding));
    const target = await forwarding.origin.next();
    await readUntil(target, headEnds);
    target.write("HTTP/1.1 102 Processing\r\n\r\n".repeat(129));
    const ack = (await responseOf(near)).messages[0]!;
    assert.ok(ack.type === "websocket_ack");
    assert.equal(ack.payload.error?.code, "target_protocol");
    near.end();
  }));

Deno.test("websocket request that announces content reaches no origin", () =>
  Forwarding.run(async (forwarding) => {
    const announced = [["Content-Length", "5"], ["Transfer-Encoding", "chunked"], ["Content-Length", "x"]];
    for (const [index, headers] of announced.entries()) {
      const near = await forwarding.open(opening(forwarding, [...HANDSHAKE, ...headers]), bytes("hello"));
      const { messages } = await responseOf(near);
      assert.deepEqual(messages.map(({ payload }) => "error" in payload && payload.error?.code), [
        "bad_request",
      ]);
      near.end();
      assert.equal((await forwarding.result(index + 1)).code, "bad_request");
    }
    assert.equal(forwarding.origin.accepted, 0);
  }));

Deno.test("websocket response that cannot be relayed is refused, and the server continues", () =>
  Forwarding.run(async (forwarding) => {
    const bad = [
      SWITCH.replace("Upgrade: WebSocket", "Transfer-Encoding: identity\r\nUpgrade: WebSocket"),
      SWITCH.replace("Switching", "\x1b[31m"),
      SWITCH.replace("HTTP/1.1", "HTTP/2.0"),
    ];
    for (const answer of bad) {
      const near = await forwarding.open(opening(forwarding));
      const target = await forwarding.origin.next();
      await readUntil(target, headEnds);
      target.write(answer);
      const { messages } = await responseOf(near);
      assert.deepEqual(messages.map(({ payload }) => "error" in payload && payload.error?.code), [
        "target_protocol",
      ]);
      near.end();
    }
  }));

Deno.test("websocket relays sloppy responses in canonical form, and all bytes after a 101 unchanged", () =>
  Forwarding.run(async (forwarding) => {
    const raw = "a\r\n b\nHTTP/1.1 200 OK\n\n";
    const answers: [string, number, string[], string][] = [
      [
        `HTTP/1.1 101\nUpgrade : websocket\nConnection:\n Upgrade\nX: a\r\n\tb\n\n${raw}`,
        101,
        ["Upgrade", "websocket", "Connection", "Upgrade", "X", "a b", "Via", "1.1 sallyport"],
        raw,
      ],
      [
        `HTTP/1.1 403\nContent-Length: 2, 2\n\nno${raw}`,
        403,
        ["Content-Length", "2", "Via", "1.1 sallyport"],
        "no",
      ],
    ];
    for (const [answer, status, headers, text] of answers) {
      const near = await forwarding.open(opening(forwarding), undefined, { end: true });
      const target = await forwarding.origin.next();
      await readUntil(target, headEnds);
      target.end(answer);
      const got = await responseOf(near);
      assert.deepEqual(got.messages.map(({ payload }) => payload), [{ status, reason: "", headers }]);
      assert.equal(got.text, text);
      target.destroy();
      const { detail } = await forwarding.result(forwarding.results.length || 1);
      assert.equal(detail !== undefined, status === 403, detail);
    }
  }));
