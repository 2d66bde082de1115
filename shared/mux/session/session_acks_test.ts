import assert from "node:assert/strict";
import { naiveEncode } from "../../../tests/support/mux/naive_codec.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { OPENING, rawTest, sessionTest } from "../../../tests/support/mux/session_suite.ts";
import { testBytes } from "../../../tests/support/test_bytes.ts";
import { within } from "../../../tests/support/within.ts";
import type { MuxStream } from "../stream/stream.ts";

/** Waits until this many bytes arrived on a stream. */
function arrival(stream: MuxStream, bytes: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.listen({
    data: (part) => {
      stream.consumed(part.byteLength);
      if (stream.bytesIn >= bytes) resolve();
    },
  });
  stream.resume();
  return within(5_000, promise, `${bytes} bytes`);
}

rawTest("acknowledges 65,536 bytes at once (SPEC 5.2)", {}, async (pair) => {
  const { peer, peerId } = pair;
  const opened = naiveEncode(
    JSON.stringify({ type: "connect_request", payload: { stream: peerId(0), n: 0, host: "a", port: 1 } }),
  ).length;
  const stream = await pair.accepted();
  const data = { stream: stream.id };
  const overhead = naiveEncode(JSON.stringify({ type: "connect_data", payload: { ...data, n: 1 } })).length;
  const arrived = arrival(stream, 65_536 - opened - overhead);
  // One byte short of the mark, with headers and envelopes.
  peer.send("connect_data", data, testBytes(65_536 - opened - overhead - 1));
  await peer.settled();
  assert.deepEqual(peer.all("ack"), []);
  // The next byte of a body does not arrive alone: this frame passes the mark with its own head.
  const more = peer.send("connect_data", data, [1]);
  await arrived;
  assert.deepEqual((await peer.next("ack")).payload, { bytes: 65_535 + more });
  stream.reset("cancelled", "done");
});

rawTest("acknowledges less 2 ms after its first byte (SPEC 5.2)", {}, async (pair) => {
  const { peer, clock } = pair;
  const stream = await pair.accepted();
  const arrived = arrival(stream, 3);
  clock.advance(1.5);
  peer.send("connect_data", { stream: stream.id }, [1, 2, 3]);
  await arrived;
  await peer.settled();
  assert.deepEqual(peer.all("ack"), []);
  clock.advance(0.5);
  await peer.next("ack");
  const [ack] = peer.all("ack");
  const open = { stream: stream.id, n: 0, host: "a", port: 1 };
  const sent = naiveEncode(JSON.stringify({ type: "connect_request", payload: open })).length +
    naiveEncode(JSON.stringify({ type: "connect_data", payload: { stream: stream.id, n: 1 } }), [1, 2, 3])
      .length;
  assert.deepEqual(ack?.payload, { bytes: sent });
  stream.reset("cancelled", "done");
});

rawTest("acknowledges what is read of a frame before its end (SPEC 5.2)", {}, async (pair) => {
  const { peer, clock } = pair;
  const stream = await pair.accepted();
  clock.advance(2);
  const before = (await peer.next("ack")).payload.bytes;
  const frame = naiveEncode(
    JSON.stringify({ type: "connect_data", payload: { stream: stream.id, n: 1 } }),
    testBytes(60_000),
  );
  const arrived = arrival(stream, 39_000);
  const part = frame.slice(0, 40_000);
  peer.sendBytes(part);
  await arrived;
  clock.advance(2);
  let last = before;
  while (last < before + part.length) last = (await peer.next("ack")).payload.bytes;
  assert.equal(last, before + part.length);
  stream.reset("cancelled", "done");
});

rawTest("counts session messages and those of unknown type (SPEC 5.2)", {}, async (pair) => {
  const { peer, clock } = pair;
  let expected = 0;
  for (let i = 0; i < 500; i++) expected += peer.send("status", { agents: i, streams: 0 });
  expected += peer.send("later", { x: "y".repeat(20_000) });
  await peer.settled();
  clock.advance(2);
  let last = 0;
  while (last < expected) last = (await peer.next("ack")).payload.bytes;
  assert.equal(last, expected);
});

rawTest("neither counts nor acknowledges messages of a link (SPEC 5.2)", {}, async (pair) => {
  const { peer, clock } = pair;
  for (let nonce = 0; nonce < 500; nonce++) peer.send("ping", { nonce });
  peer.send("ack", { bytes: 0 });
  peer.send("pong", { nonce: 1 });
  await peer.settled(600);
  clock.advance(2);
  await peer.settled(601);
  assert.deepEqual(peer.all("ack"), []);
});

rawTest("counts dropped messages, too (SPEC 5.2)", { maxStreams: 1 }, async (pair) => {
  const { peer, clock, peerId } = pair;
  const stream = await pair.accepted();
  clock.advance(2);
  let expected = (await peer.next("ack")).payload.bytes;
  stream.reset("cancelled", "gone");
  await peer.next("reset");
  expected += peer.send("connect_data", { stream: stream.id }, testBytes(3_000));
  expected += peer.send("connect_request", { stream: peerId(1), host: "a", port: 1 }, testBytes(100));
  const next = await pair.end.nextStream();
  expected += peer.send("connect_request", { stream: peerId(2), host: "a", port: 1 }, testBytes(100));
  await peer.next("reset");
  await peer.settled();
  clock.advance(2);
  assert.equal((await peer.next("ack")).payload.bytes, expected);
  next.reset("cancelled", "done");
});

rawTest("sends no more than its estimate without acknowledgement (SPEC 5.3)", {}, async (pair) => {
  const { end, peer } = pair;
  // More than the estimate, less than the peer's credit for each.
  const streams = Array.from({ length: 10 }, () => end.session.open(OPENING, testBytes(90_000)));
  for (let i = 0; i < 1_000 && peer.received < 100_000; i++) await peer.settled();
  for (let i = 0; i < 3; i++) await peer.settled();
  const before = peer.received;
  assert.ok(before >= 100_000 && before <= 131_072 + 65_536, `${before} bytes are in flight`);
  peer.send("ack", { bytes: before });
  for (let i = 0; i < 3; i++) await peer.settled();
  assert.ok(peer.received > before, "more came after the acknowledgement");
  for (const stream of streams) stream.reset("cancelled", "done");
});

sessionTest("acknowledges everything in the end (SPEC 5.2)", {}, async ({ opener, open }) => {
  const { near, far } = await open(testBytes(40_000), { end: true });
  const farOver = streamEnd(far);
  far.end();
  assert.equal(await streamEnd(near), undefined);
  assert.equal(await farOver, undefined);
  // A drain ends only when all is acknowledged.
  opener.session.drain();
  assert.equal(await within(5_000, opener.closed, "the end"), undefined);
});
