import assert from "node:assert/strict";
import { collect } from "../../tests/support/collect.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { naiveEncode } from "../../tests/support/naive_codec.ts";
import { over } from "../../tests/support/over.ts";
import { assertEnds, OPENING, type RawPair, rawTest } from "../../tests/support/session_suite.ts";
import { sessionPair } from "../../tests/support/session_pair.ts";
import { testBytes } from "../../tests/support/test_bytes.ts";
import { within } from "../../tests/support/within.ts";
import type { ErrorCode } from "../errors.ts";

interface Violation {
  what: string;
  section: string;
  code: ErrorCode;
  /** Part of the message that the peer is given. */
  message: RegExp;
  act(pair: RawPair): void;
}

const target = { host: "a", port: 1 };

/** What a peer may do that ends its connection. */
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
    what: "what is not JSON",
    section: "2.3",
    code: "protocol_violation",
    message: /not JSON/,
    act: ({ peer }) => void peer.sendBytes(naiveEncode("GET / HTTP/1.1")),
  },
  {
    what: "what is not UTF-8",
    section: "2.3",
    code: "protocol_violation",
    message: /not UTF-8/,
    act: ({ peer }) => void peer.sendBytes(naiveEncode([0x7b, 0xff, 0x7d])),
  },
  ...[
    ["an array 10,000 deep", "[".repeat(10_000) + "]".repeat(10_000)],
    ["an array 130,000 deep", "[".repeat(130_000) + "]".repeat(130_000)],
    ["an object 10,000 deep", '{"type":'.repeat(10_000) + "1" + "}".repeat(10_000)],
    ["a payload of its prototype alone", '{"type":"ping","__proto__":{"payload":{"nonce":1}}}'],
    ["a type of its prototype alone", '{"__proto__":{"type":"ping"},"payload":{"nonce":1}}'],
    ["a nonce of its prototype alone", '{"type":"ping","payload":{"__proto__":{"nonce":1}}}'],
    ["a second type that is none", '{"type":"ping","payload":{"nonce":1},"type":7}'],
    ["a second payload that is none", '{"type":"ping","payload":{"nonce":1},"payload":[]}'],
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
    what: "an opening whose id does not rise",
    section: "4.1",
    code: "protocol_violation",
    message: /is not above/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(3), ...target });
      peer.send("connect_request", { stream: peerId(2), ...target });
    },
  },
  {
    what: "a second opening with the same id",
    section: "4.1",
    code: "protocol_violation",
    message: /is not above/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("http_request", { stream: peerId(0), ...target, method: "GET", path: "/", headers: [] });
    },
  },
  ...(["peerId", "ownId"] as const).flatMap((whose) =>
    [
      ["connect_data", {}],
      ["websocket_close", {}],
      ["window", { bytes: 5 }],
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
    message: /exceeds 16777216/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("window", { stream: peerId(0), bytes: 16_777_216 });
    },
  },
  {
    what: "credit of nothing",
    section: "5.1",
    code: "protocol_violation",
    message: /window\.bytes: 0 is not in/,
    act: ({ peer, peerId }) => {
      peer.send("connect_request", { stream: peerId(0), ...target });
      peer.send("window", { stream: peerId(0), bytes: 0 });
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
    assert.equal((await over(own))?.code, code);
    near.write(testBytes(200_000));
    near.end();
    assert.equal((await within(5_000, got, "the other session")).bytes.byteLength, 200_000);
    bystander.dialer.session.close("going_away", "done");
    await Promise.all([bystander.dialer.closed, bystander.listener.closed]);
  });
}
