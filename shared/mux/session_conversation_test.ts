import assert from "node:assert/strict";
import { over } from "../../tests/support/over.ts";
import { OPENING, type RawPair, rawTest } from "../../tests/support/session_suite.ts";
import type { MuxStream } from "./stream.ts";

const head = { status: 200, reason: "", headers: [] };

/** The stream is reset, the session goes on. */
async function assertReset({ end, peer }: RawPair, stream: MuxStream, message: RegExp): Promise<void> {
  const error = await over(stream);
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
  "resets a stream that opens with trailers and no end, and tells nobody of it (SPEC 4.2)",
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

rawTest("ends with protocol_violation when end is no boolean (SPEC 4.2)", {}, async (pair) => {
  await pair.accepted([], { end: false });
  pair.peer.send("connect_data", { stream: pair.peerId(0), end: "yes" });
  const { payload } = await pair.peer.next("goaway");
  assert.equal(payload.code, "protocol_violation");
  assert.match(payload.message, /connect_data\.end: expected a boolean/);
});
