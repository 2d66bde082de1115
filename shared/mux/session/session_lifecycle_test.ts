import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { naiveEncode } from "../../../tests/support/mux/naive_codec.ts";
import { streamEnd } from "../../../tests/support/mux/stream_end.ts";
import { OPENING, rawTest, sessionTest } from "../../../tests/support/mux/session_suite.ts";
import { sha256, testBytes } from "../../../tests/support/test_bytes.ts";
import { within } from "../../../tests/support/within.ts";

const text = new TextEncoder();

sessionTest("opens no stream above the peer's limit (SPEC 3.1)", {
  accepter: { maxStreams: 2 },
}, async ({ opener, open }) => {
  const streams = [await open(), await open()];
  assert.equal(opener.session.capacity, 0);
  assert.throws(() => opener.session.open(OPENING), { code: "limit_reached" });
  const [first, second] = streams as [typeof streams[0], typeof streams[0]];
  const firstOver = streamEnd(first!.near);
  first!.far.reset("cancelled", "make room");
  await firstOver;
  const third = await open();
  const ends = Promise.all([streamEnd(second!.near), streamEnd(third.near)]);
  second!.far.reset("cancelled", "x");
  third.far.reset("cancelled", "x");
  await ends;
});

sessionTest("opens stream after stream at a limit of one (SPEC 3.1)", {
  accepter: { maxStreams: 1 },
}, async ({ open }) => {
  for (let i = 0; i < 50; i++) {
    const { near, far } = await open(text.encode(`${i}`), { end: true });
    const nearOver = streamEnd(near);
    await collect(far);
    far.end();
    // Once a stream is over for the opener it may open the next, and the peer has to accept it.
    assert.equal(await nearOver, undefined);
  }
});

rawTest("refuses a stream above its limit with limit_reached (SPEC 4.4)", { maxStreams: 1 }, async (pair) => {
  const { end, peer, peerId } = pair;
  const stream = await pair.accepted();
  peer.send("connect_request", { stream: peerId(1), host: "b", port: 1 }, [1, 2, 3]);
  const reset = await peer.next("reset");
  assert.deepEqual([reset.payload.stream, reset.payload.code], [peerId(1), "limit_reached"]);
  // Messages in flight for the refused stream are ignored.
  peer.send("connect_data", { stream: peerId(1) }, [4]);
  await peer.settled();
  assert.equal(end.session.state, "open");
  stream.reset("cancelled", "make room");
  await peer.next("reset");
  peer.send("connect_request", { stream: peerId(2), host: "c", port: 1 });
  assert.equal((await end.nextStream()).id, peerId(2));
});

sessionTest("drains: open streams finish, new ones are refused (SPEC 3.4)", {}, async (pair) => {
  const { opener, accepter, open } = pair;
  const up = testBytes(2_000_000, 1);
  const down = testBytes(1_500_000, 2);
  const { near, far } = await open(text.encode("first"));
  const [nearGot, farGot] = [collect(near), collect(far)];
  accepter.session.drain();
  assert.throws(() => accepter.session.open(OPENING), { code: "going_away" });
  await within(5_000, opener.draining, "the goaway");
  assert.throws(() => opener.session.open(OPENING), { code: "going_away" });
  assert.deepEqual([opener.session.capacity, accepter.session.capacity], [0, 0]);
  near.write(up);
  near.end();
  far.write(down);
  far.end();
  const [back, forth] = await within(10_000, Promise.all([nearGot, farGot]), "both ends");
  assert.equal(sha256(forth.bytes.subarray(5)), sha256(up));
  assert.equal(sha256(back.bytes), sha256(down));
  const errors = await within(5_000, Promise.all([opener.closed, accepter.closed]), "both sessions close");
  assert.deepEqual(errors, [undefined, undefined]);
});

sessionTest(
  "has no capacity when a draining peer did not process a stream (SPEC 3.4)",
  {},
  async (pair) => {
    const { opener, accepter } = pair;
    accepter.session.drain();
    const stream = opener.session.open(OPENING);
    const { promise, resolve } = Promise.withResolvers<number>();
    stream.listen({ closed: () => resolve(opener.session.capacity) });
    assert.equal(await within(5_000, promise, "the end of the stream"), 0);
    assert.ok(stream.unprocessed);
  },
);

sessionTest("drains at once when nothing is open (SPEC 3.4)", {}, async ({ opener, accepter }) => {
  accepter.session.drain();
  accepter.session.drain();
  assert.deepEqual(await Promise.all([opener.closed, accepter.closed]), [undefined, undefined]);
  assert.deepEqual([opener.session.state, accepter.session.state], ["closed", "closed"]);
  assert.throws(() => opener.session.open(OPENING), { code: "tunnel_down" });
});

sessionTest("drains from both ends at once (SPEC 3.4)", {}, async ({ opener, accepter, open }) => {
  const { near, far } = await open(testBytes(300_000), { end: true });
  opener.session.drain();
  accepter.session.drain();
  const got = collect(far);
  assert.equal((await within(5_000, got, "all of it")).bytes.byteLength, 300_000);
  far.write(testBytes(300_000));
  far.end();
  assert.equal((await within(5_000, collect(near), "the way back")).bytes.byteLength, 300_000);
  assert.deepEqual(await Promise.all([opener.closed, accepter.closed]), [undefined, undefined]);
});

sessionTest("drains with a stream whose end is in the very last write (SPEC 3.4)", {}, async (pair) => {
  const { near, far } = await pair.open(undefined, { end: true });
  const got = collect(near);
  pair.accepter.session.drain();
  await within(5_000, collect(far), "the end");
  far.write(testBytes(200_000));
  far.end();
  assert.equal((await within(5_000, got, "all of it")).bytes.byteLength, 200_000);
  const ends = within(5_000, Promise.all([pair.opener.closed, pair.accepter.closed]), "both ends");
  assert.deepEqual(await ends, [undefined, undefined]);
});

sessionTest("that is closed leaves nothing for its peer to wait for (SPEC 3.4)", {
  opener: { resumeTimeout: 60_000 },
  accepter: { resumeTimeout: 60_000 },
}, async ({ opener, accepter, open }) => {
  const streams = await Promise.all([open(text.encode("a")), open()]);
  const ends = streams.flatMap(({ near, far }) => [streamEnd(near), streamEnd(far)]);
  opener.session.close("going_away", "the program stops");
  for (const error of await Promise.all(ends)) assert.equal(error?.code, "going_away");
  await within(5_000, Promise.all([opener.closed, accepter.closed]), "both sessions end");
});

rawTest(
  "sends the last stream that it accepted, and refuses later ones (SPEC 3.4)",
  {},
  async (pair) => {
    const { end, peer, peerId } = pair;
    const stream = await pair.accepted([1]);
    end.session.drain();
    const goaway = await peer.next("goaway");
    assert.deepEqual([goaway.payload.code, goaway.payload.last_stream], ["going_away", peerId(0)]);
    peer.send("connect_request", { stream: peerId(1), host: "b", port: 1 }, [1]);
    const reset = await peer.next("reset");
    assert.deepEqual([reset.payload.stream, reset.payload.code], [peerId(1), "going_away"]);
    assert.equal(end.session.state, "draining");
    stream.reset("cancelled", "done");
  },
);

rawTest(
  "fails its streams that the peer did not process, and keeps the others (SPEC 3.4)",
  {},
  async (pair) => {
    const { end, peer, ownId } = pair;
    const streams = [0, 1, 2].map(() => end.session.open(OPENING));
    await peer.next("connect_request");
    const failed = streamEnd(streams[2]!);
    peer.send("goaway", { code: "going_away", last_stream: ownId(1) });
    assert.equal((await failed)?.code, "going_away");
    assert.deepEqual(streams.map((stream) => stream.over), [false, false, true]);
    assert.equal(end.session.state, "draining");
    const others = Promise.all(streams.slice(0, 2).map(streamEnd));
    peer.send("reset", { stream: ownId(0), code: "cancelled" });
    peer.send("reset", { stream: ownId(1), code: "cancelled" });
    await others;
    // The end that drains closes: messages that it had queued may still arrive.
    await peer.settled();
    assert.equal(end.session.state, "draining");
    peer.close();
    assert.equal(await within(5_000, end.closed, "the end"), undefined);
  },
);

rawTest("stays until the peer has read the last stream's end (SPEC 3.4)", {}, async (pair) => {
  const { end, peer } = pair;
  const stream = await pair.accepted([], { end: true });
  stream.resume();
  end.session.drain();
  stream.write(testBytes(30_000));
  stream.end();
  while (!(await peer.next("connect_data")).payload.end);
  await peer.settled();
  assert.equal(end.session.streamCount, 0);
  assert.equal(end.session.state, "draining");
  peer.send("ack", { bytes: peer.received });
  assert.equal(await within(5_000, end.closed, "the end"), undefined);
});

rawTest("acknowledges nothing more after a goaway in the same chunk as bytes", {}, async (pair) => {
  const { end, peer } = pair;
  const streamOver = streamEnd(await pair.accepted());
  const payload = { stream: pair.peerId(0), n: 1 };
  const data = naiveEncode(JSON.stringify({ type: "connect_data", payload }), [1, 2]);
  const goaway = { type: "goaway", payload: { code: "internal", last_stream: 0 } };
  peer.sendBytes([...data, ...naiveEncode(JSON.stringify(goaway))]);
  assert.equal((await streamOver)?.code, "internal");
  // That no timer is left is asserted after every test.
  assert.equal((await within(5_000, end.closed, "the end"))?.code, "internal");
});

sessionTest("finishes a stream that was opened right before the drain (SPEC 3.4)", {}, async (pair) => {
  const near = pair.opener.session.open(OPENING, testBytes(400_000), { end: true });
  const nearOver = streamEnd(near);
  pair.opener.session.drain();
  const far = await pair.accepter.nextStream();
  assert.equal((await within(5_000, collect(far), "all of it")).bytes.byteLength, 400_000);
  far.end();
  assert.equal(await nearOver, undefined);
  const ends = within(5_000, Promise.all([pair.opener.closed, pair.accepter.closed]), "both ends");
  assert.deepEqual(await ends, [undefined, undefined]);
});

rawTest("accepts a stream that the peer had queued before its goaway (SPEC 3.4)", {}, async (pair) => {
  pair.peer.send("goaway", { code: "going_away", last_stream: 0 });
  const stream = await pair.accepted([1, 2]);
  assert.equal(pair.end.session.state, "draining");
  stream.reset("cancelled", "done");
});

sessionTest("ends every stream when the connection is cut", {}, async ({ opener, accepter, open, abort }) => {
  const pairs = [await open(), await open(testBytes(400_000)), await open(undefined, { end: true })];
  const ends = pairs.flatMap(({ near, far }) => [streamEnd(near), streamEnd(far)]);
  abort();
  for (const error of await Promise.all(ends)) assert.equal(error?.code, "tunnel_down");
  for (const end of [opener, accepter]) {
    assert.equal((await within(5_000, end.closed, "closed"))?.code, "tunnel_down");
    assert.throws(() => end.session.open(OPENING), { code: "tunnel_down" });
  }
});

rawTest("ends its streams when the peer closes without goaway", {}, async (pair) => {
  const stream = await pair.accepted();
  const streamOver = streamEnd(stream);
  pair.peer.close();
  assert.equal((await streamOver)?.code, "tunnel_down");
  assert.equal((await within(5_000, pair.end.closed, "closed"))?.code, "tunnel_down");
});

sessionTest("closes with a code for the peer and every stream (SPEC 3.4)", {}, async (pair) => {
  const { near, far } = await pair.open(testBytes(100_000));
  const ends = [streamEnd(near), streamEnd(far)];
  pair.opener.session.close("limit_reached", "too many connections");
  const errors = await Promise.all([...ends, pair.opener.closed, pair.accepter.closed]);
  for (const error of errors) {
    assert.equal(error?.code, "limit_reached");
    assert.equal(error.message, "too many connections");
  }
  pair.opener.session.close("internal", "again");
  pair.opener.session.drain();
  pair.opener.session.sendStatus({ agents: 1, streams: 0 });
});

sessionTest("delivers status (SPEC 3)", {}, async ({ opener, accepter, open }) => {
  accepter.session.sendStatus({ agents: 3, streams: 5 });
  const { near, far } = await open();
  const nearOver = streamEnd(near);
  far.reset("cancelled", "x");
  await nearOver;
  assert.deepEqual(opener.status, [{ agents: 3, streams: 5 }]);
});
