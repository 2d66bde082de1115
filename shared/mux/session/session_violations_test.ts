import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { MemoryTransport } from "../../../tests/support/mux/memory_transport.ts";
import { naiveEncode } from "../../../tests/support/mux/naive_codec.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { assertEnds, OPENING, type RawPair, rawTest } from "../../../tests/support/mux/session_suite.ts";
import { sessionPair } from "../../../tests/support/mux/session_pair.ts";
import { testBytes } from "../../../tests/support/test_bytes.ts";
import { within } from "../../../tests/support/within.ts";
import type { ErrorCode } from "../../errors.ts";

interface Violation {
  what: string;
  section: string;
  code: ErrorCode;
  /** Part of the message that is sent to the peer. */
  message: RegExp;
  act(pair: RawPair): void;
}

const target = { host: "a", port: 1 };

/** What a peer may do that closes its connection. */
const VIOLATIONS: Violation[] = [
  {
    what: "JSON shorter than an object",
    section: "2.2",
    code: "frame_too_large",
    message: /jsonLength 1 /,
    act: ({ peer }) => void peer.sendBytes([0, 0, 0, 1, 0, 0, 0, 0]),
  },
  {
    what: "a giant envelope",
    section: "2.2",
    code: "frame_too_large",
    message: /jsonLength 4294967295 /,
    act: ({ peer }) => void peer.sendBytes([255, 255, 255, 255, 0, 0, 0, 0]),
  },
  {
    what: "a giant body",
    section: "2.2",
    code: "frame_too_large",
    message: /bodyLength 262145 /,
    act: ({ peer }) => void peer.sendBytes([0, 0, 0, 2, 0, 4, 0, 1]),
  },
  {
    what: "a text that is not JSON",
    section: "2.3",
    code: "protocol_violation",
    message: /not JSON/,
    act: ({ peer }) => void peer.sendBytes(naiveEncode("GET / HTTP/1.1")),
  },
  {
    what: "a text that is not UTF-8",
    section: "2.3",
    code: "protocol_violation",
    message: /not UTF-8/,
    act: ({ peer }) => void peer.sendBytes(naiveEncode([0x7b, 0xff, 0x7d])),
  },
  ...[
    ["an array 10,000 deep", "[".repeat(10_000) + "]".repeat(10_000)],
    ["an array 130,000 deep", "[".repeat(130_000) + "]".repeat(130_000)],
    ["an object 10,000 deep", '{"type":'.repeat(10_000) + "1" + "}".repeat(10_000)],
    ["a payload only in its prototype", '{"type":"ping","__proto__":{"payload":{"nonce":1}}}'],
    ["a type only in its prototype", '{"__proto__":{"type":"ping"},"payload":{"nonce":1}}'],
    ["a nonce only in its prototype", '{"type":"ping","payload":{"__proto__":{"nonce":1}}}'],
    ["a second type of the wrong kind", '{"type":"ping","payload":{"nonce":1},"type":7}'],
    ["a second payload of the wrong kind", '{"type":"ping","payload":{"nonce":1},"payload":[]}'],
  ].map(([what, json]): Violation => ({
    what: what!,
    section: "2.3",
    code: "protocol_violation",
    message: /must be|expected|ping\.nonce/,
    act: ({ peer }) => void peer.sendBytes(naiveEncode(json!)),
  })),
  {
    what: "an envelope without a payload",
    section: "2.3",
    code: "protocol_violation",
    message: /payload must be an object/,
    act: ({ peer }) => void peer.sendBytes(naiveEncode('{"type":"ping"}')),
  },
  {
    what: "a payload of another form",
    section: "3",
    code: "protocol_violation",
    message: /ping\.nonce/,
    act: ({ peer }) => void peer.send("ping", { nonce: "1" }),
  },
  {
    what: "a body on a session message",
    section: "2.4",
    code: "protocol_violation",
    message: /ping has a body/,
    act: ({ peer }) => void peer.send("ping", { nonce: 1 }, [1]),
  },
  {
    what: "a body on an unknown message without a stream",
    section: "2.4",
    code: "protocol_violation",
    message: /later has a body/,
    act: ({ peer }) => void peer.send("later", {}, [1]),
  },
  {
    what: "a second hello",
    section: "3.1",
    code: "protocol_violation",
    message: /second hello/,
    act: ({ peer }) => peer.hello(),
  },
  {
    what: "an opening with an id of the wrong parity",
    section: "4.1",
    code: "protocol_violation",
    message: /not the peer's to open/,
    act: ({ peer, ownId }) => void peer.send("connect_request", { stream: ownId(5), ...target }),
  },
  {
    what: "an opening whose id is too far ahead",
    section: "4.1",
    code: "protocol_violation",
    message: /stream \d+ is too far ahead/,
    act: ({ peer, peerId }) => void peer.send("connect_request", { stream: peerId(32_769), ...target }),
  },
  {
    what: "a second opening message on a stream",
    section: "4.8",
    code: "protocol_violation",
    message: /opens with number 1/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("http_request", { stream: peerId(0), ...target, method: "GET", path: "/", headers: [] });
    },
  },
  {
    what: "a message without a number",
    section: "4.2",
    code: "protocol_violation",
    message: /connect_data\.n/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("connect_data", { stream: peerId(0), n: undefined });
    },
  },
  {
    what: "a number too far ahead",
    section: "4.8",
    code: "protocol_violation",
    message: /number 8193 of stream \d+ is too far ahead of 1/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("connect_data", { stream: peerId(0), n: 8_192 });
      peer.send("connect_data", { stream: peerId(0), n: 8_193 });
    },
  },
  {
    what: "a copy of another length",
    section: "4.8",
    code: "protocol_violation",
    message: /number 2 of stream \d+ has two lengths/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("connect_data", { stream: peerId(0), n: 2 }, [1]);
      peer.send("connect_data", { stream: peerId(0), n: 2 }, [1, 2]);
    },
  },
  ...(["peerId", "ownId"] as const).flatMap((whose) =>
    [
      ["connect_data", {}],
      ["websocket_close", {}],
      ["window", { total: 5 }],
      ["reset", { code: "cancelled" }],
    ].map(([type, more]): Violation => ({
      what: `${type} for an id of ${whose === "ownId" ? "the session" : "the peer"} that was never opened`,
      section: "4.4",
      code: "protocol_violation",
      message: /was never opened/,
      act: (pair) => void pair.peer.send(type as string, { stream: pair[whose](7), ...more as object }),
    }))
  ),
  {
    what: "a first body above the window",
    section: "5.1",
    code: "flow_control_violation",
    message: /only 1000 bytes of credit/,
    act: ({ peer, peerId }) =>
      void peer.send("connect_request", { stream: peerId(0), ...target }, testBytes(1_001)),
  },
  {
    what: "a byte without credit",
    section: "5.1",
    code: "flow_control_violation",
    message: /only 0 bytes of credit/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target }, testBytes(600));
      peer.send("connect_data", { stream: peerId(0) }, testBytes(400));
      peer.send("connect_data", { stream: peerId(0) }, [1]);
    },
  },
  {
    what: "credit above 16 MiB",
    section: "5.1",
    code: "flow_control_violation",
    message: /leaves more than 16777216/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("window", { stream: peerId(0), total: 16_777_217 });
    },
  },
  {
    what: "credit of 0 bytes",
    section: "5.1",
    code: "protocol_violation",
    message: /window\.total: 0 is not in/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("window", { stream: peerId(0), total: 0 });
    },
  },
  {
    what: "an ack above what was sent",
    section: "5.2",
    code: "protocol_violation",
    message: /ack/,
    act: ({ peer }) => void peer.send("ack", { bytes: peer.received + 1 }),
  },
  {
    what: "an ack that falls",
    section: "5.2",
    code: "protocol_violation",
    message: /ack/,
    act: ({ peer }) => {
      peer.send("ack", { bytes: peer.received });
      peer.send("ack", { bytes: peer.received - 1 });
    },
  },
  ...[
    ["a path that ends its line", "http_request", { path: "/ HTTP/1.1\r\nX: y" }],
    ["a method of two words", "http_request", { method: "GET /x" }],
    ["a host with a user", "http_request", { host: "a@b" }],
    ["a field's name with a colon", "http_request", { headers: ["X:", "y"] }],
    ["a field's value that ends its line", "http_request", { headers: ["X", "y\r\nZ: 1"] }],
    ["trailers with NUL", "http_request", { end: true, trailers: ["X", "\0"] }],
  ].map(([what, type, bad]) => ({
    what: String(what),
    section: "4.2",
    code: "protocol_violation" as const,
    message: /expected (a |"\*" or |bytes without )/,
    act: ({ peer, peerId }: RawPair) => {
      const good = { ...target, method: "GET", path: "/", headers: [] };
      peer.send(String(type), { stream: peerId(0), ...good, ...Object(bad) });
    },
  })),
];

for (const { what, section, code, message, act } of VIOLATIONS) {
  const options = { initialWindow: 1_000, maxWindow: 1_000 };
  rawTest(`ends with ${code} after ${what} (SPEC ${section})`, options, async (pair) => {
    const bystander = await sessionPair(MemoryTransport.pair());
    const near = bystander.dialer.session.open(OPENING);
    const got = collect(await bystander.listener.nextStream());
    const own = pair.end.session.open(OPENING);
    await pair.peer.next("connect_request");
    act(pair);
    await assertEnds(pair, code, message);
    assert.equal((await streamEnd(own))?.code, code);
    near.write(testBytes(200_000));
    near.end();
    assert.equal((await within(5_000, got, "the other session")).bytes.byteLength, 200_000);
    bystander.dialer.session.close("going_away", "done");
    await Promise.all([bystander.dialer.closed, bystander.listener.closed]);
  });
}
