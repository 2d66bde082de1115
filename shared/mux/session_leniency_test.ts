import assert from "node:assert/strict";
import { over } from "../../tests/support/over.ts";
import { rawTest } from "../../tests/support/session_suite.ts";
import { testBytes } from "../../tests/support/test_bytes.ts";

const target = { host: "a", port: 1 };

rawTest("reads an unknown code as internal (SPEC 4.5)", {}, async (pair) => {
  const stream = await pair.accepted();
  const streamOver = over(stream);
  pair.peer.send("reset", { stream: stream.id, code: "later_code", message: "?" });
  assert.equal((await streamOver)?.code, "internal");
  assert.equal(pair.end.session.state, "open");
});

rawTest("ignores an unknown type without a stream (SPEC 3.3)", {}, async ({ end, peer }) => {
  peer.send("later", { x: 1 });
  await peer.settled();
  assert.equal(end.session.state, "open");
});

rawTest("resets the stream of an unknown type, and counts its body as read (SPEC 3.3)", {}, async (pair) => {
  const { end, peer, clock } = pair;
  const stream = await pair.accepted();
  const streamOver = over(stream);
  clock.advance(2);
  const before = (await peer.next("ack")).payload.bytes;
  const sent = peer.send("later", { stream: stream.id }, testBytes(5_000));
  const reset = await peer.next("reset");
  assert.deepEqual([reset.payload.stream, reset.payload.code], [stream.id, "protocol_violation"]);
  assert.equal((await streamOver)?.code, "protocol_violation");
  clock.advance(2);
  assert.equal((await peer.next("ack")).payload.bytes, before + sent);
  assert.equal(end.session.state, "open");
});

rawTest("resets a stream that goes on after its end (SPEC 4.4)", {}, async (pair) => {
  const { end, peer } = pair;
  const stream = await pair.accepted([1], { end: true });
  const streamOver = over(stream);
  peer.send("connect_data", { stream: stream.id }, [2]);
  const reset = await peer.next("reset");
  assert.deepEqual([reset.payload.stream, reset.payload.code], [stream.id, "protocol_violation"]);
  assert.equal((await streamOver)?.code, "protocol_violation");
  assert.equal(stream.bytesIn, 1);
  // The peer may have more under way.
  peer.send("connect_data", { stream: stream.id }, [3]);
  peer.send("window", { stream: stream.id, bytes: 16_777_216 });
  peer.send("reset", { stream: stream.id, code: "cancelled" });
  await peer.settled();
  assert.equal(end.session.state, "open");
});

rawTest("ignores members that SPEC 2.3 does not name", {}, async (pair) => {
  const stream = await pair.accepted([1], { later: { deep: [1] }, constructor: 1 });
  assert.deepEqual(stream.opening, { type: "connect_request", payload: target });
  stream.reset("cancelled", "done");
});
