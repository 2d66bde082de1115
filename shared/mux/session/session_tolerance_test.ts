/** What a session survives: errors of a peer that cost one stream at most. */
import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { testBytes } from "../../../tests/support/test_bytes.ts";
import { OPENING, type RawPair, rawTest } from "../../../tests/support/mux/session_suite.ts";
import type { MuxStream } from "../stream/stream.ts";

const target = { host: "a", port: 1 };
const head = { status: 200, reason: "", headers: [] };

/** Asserts that the stream is reset and the session continues. */
async function assertReset({ end, peer }: RawPair, stream: MuxStream, message: RegExp): Promise<void> {
  const error = await streamEnd(stream);
  assert.equal(error?.code, "protocol_violation");
  assert.match(error.message, message);
  const { payload } = await peer.next("reset");
  assert.deepEqual([payload.stream, payload.code], [stream.id, "protocol_violation"]);
  await peer.settled();
  assert.equal(end.session.state, "open");
}

rawTest("resets a stream whose opener answers itself (SPEC 4.2)", {}, async (pair) => {
  const stream = await pair.accepted();
  pair.peer.send("http_response", { stream: stream.id, ...head });
  await assertReset(pair, stream, /http_response is out of place/);
});

rawTest("resets a stream whose bytes come before the answer (SPEC 4.2)", {}, async (pair) => {
  const stream = pair.end.session.open(OPENING);
  await pair.peer.next("connect_request");
  pair.peer.send("connect_data", { stream: stream.id }, [1]);
  await assertReset(pair, stream, /connect_data came before connect_ack/);
  assert.equal(stream.bytesIn, 0);
});

rawTest(
  "resets a stream that opens with trailers and no end, and does not deliver it (SPEC 4.2)",
  {},
  async (pair) => {
    const { end, peer, peerId } = pair;
    peer.send("connect_request", { stream: peerId(0), host: "a", port: 1, trailers: ["a", "b"] });
    const { payload } = await peer.next("reset");
    assert.deepEqual([payload.stream, payload.code], [peerId(0), "protocol_violation"]);
    peer.send("connect_request", { stream: peerId(1), host: "a", port: 1 });
    assert.equal((await end.nextStream()).id, peerId(1));
  },
);

rawTest("holds no more messages of a stream than SPEC 4.3 allows", {}, async (pair) => {
  const payload = { method: "GET", host: "a", port: 1, path: "/", headers: [] };
  const stream = pair.end.session.open({ type: "http_request", payload });
  await pair.peer.next("http_request");
  const interim = { stream: stream.id, status: 103, reason: "", headers: [] };
  for (let i = 0; i < 32; i++) pair.peer.send("http_response", interim);
  await pair.peer.settled();
  assert.equal(stream.over, false);
  pair.peer.send("http_response", interim);
  await assertReset(pair, stream, /more than 32 interim answers/);
});

rawTest("ends with protocol_violation when end is not a boolean (SPEC 4.2)", {}, async (pair) => {
  await pair.accepted([], { end: false });
  pair.peer.send("connect_data", { stream: pair.peerId(0), end: "yes" });
  const { payload } = await pair.peer.next("goaway");
  assert.equal(payload.code, "protocol_violation");
  assert.match(payload.message, /connect_data\.end: expected a boolean/);
});

rawTest("reads an unknown code as internal (SPEC 4.5)", {}, async (pair) => {
  const stream = await pair.accepted();
  const streamOver = streamEnd(stream);
  pair.peer.send("reset", { stream: stream.id, code: "later_code", message: "?" });
  assert.equal((await streamOver)?.code, "internal");
  assert.equal(pair.end.session.state, "open");
});

rawTest("ignores a message of unknown type without a stream (SPEC 3.3)", {}, async ({ end, peer }) => {
  peer.send("later", { x: 1 });
  await peer.settled();
  assert.equal(end.session.state, "open");
});

rawTest(
  "resets the stream of a message of unknown type, and counts its body as read (SPEC 3.3)",
  {},
  async (pair) => {
    const { end, peer, clock } = pair;
    const stream = await pair.accepted();
    const streamOver = streamEnd(stream);
    clock.advance(2);
    const before = (await peer.next("ack")).payload.bytes;
    const sent = peer.send("later", { stream: stream.id }, testBytes(5_000));
    const reset = await peer.next("reset");
    assert.deepEqual([reset.payload.stream, reset.payload.code], [stream.id, "protocol_violation"]);
    assert.equal((await streamOver)?.code, "protocol_violation");
    clock.advance(2);
    assert.equal((await peer.next("ack")).payload.bytes, before + sent);
    assert.equal(end.session.state, "open");
  },
);

rawTest("resets a stream whose peer sends after its end (SPEC 4.4)", {}, async (pair) => {
  const { end, peer } = pair;
  const stream = await pair.accepted([1], { end: true });
  const streamOver = streamEnd(stream);
  peer.send("connect_data", { stream: stream.id }, [2]);
  const reset = await peer.next("reset");
  assert.deepEqual([reset.payload.stream, reset.payload.code], [stream.id, "protocol_violation"]);
  assert.equal((await streamOver)?.code, "protocol_violation");
  assert.equal(stream.bytesIn, 1);
  // More messages of the peer may be in flight.
  peer.send("connect_data", { stream: stream.id }, [3]);
  peer.send("window", { stream: stream.id, total: 16_777_216 });
  peer.send("reset", { stream: stream.id, code: "cancelled" });
  await peer.settled();
  assert.equal(end.session.state, "open");
});

rawTest("delivers once and in order what arrives twice and in any order (SPEC 4.8)", {}, async (pair) => {
  const { end, peer, peerId } = pair;
  const stream = await pair.accepted([1]);
  const id = { stream: peerId(0) };
  peer.send("connect_data", { ...id, n: 3, end: true }, [5]);
  peer.send("connect_data", { ...id, n: 2 }, [3, 4]);
  peer.send("connect_request", { ...id, n: 0, ...target }, [1]);
  peer.send("connect_data", { ...id, n: 2 }, [3, 4]);
  peer.send("connect_data", { ...id, n: 1 }, [2]);
  peer.send("connect_data", { ...id, n: 1 }, [2]);
  assert.deepEqual([...(await collect(stream)).bytes], [1, 2, 3, 4, 5]);
  assert.deepEqual([end.session.state, end.session.streamCount], ["open", 1]);
  stream.reset("cancelled", "done");
});

rawTest("ignores members that SPEC 2.3 does not name", {}, async (pair) => {
  const stream = await pair.accepted([1], { later: { deep: [1] }, constructor: 1 });
  assert.deepEqual(stream.opening, { type: "connect_request", payload: target });
  stream.reset("cancelled", "done");
});
