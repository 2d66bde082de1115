import assert from "node:assert/strict";
import {
  ack,
  data,
  flush,
  incoming,
  listen,
  makeStream,
  opening,
  receive,
} from "../../../tests/support/mux/recording_stream.ts";
import type { StreamMessage } from "../../protocol/messages.ts";

Deno.test("stream holds events until resume, in order, and merges small parts", () => {
  const { stream } = makeStream();
  const seen = listen(stream);
  receive(stream, 3);
  receive(stream, 5);
  stream.receiveEnd(["a", "b"]);
  assert.deepEqual(seen, []);
  stream.resume();
  assert.deepEqual(seen, ["connect_ack", "data 8", "end a,b"]);
  assert.equal(stream.bytesIn, 8);
  stream.resume();
  assert.equal(seen.length, 3);
});

Deno.test("stream does not deliver its opening message, nor data messages, as messages", () => {
  const { stream } = makeStream({}, 1_000, false);
  const seen = listen(stream);
  stream.resume();
  receive(stream, 1, opening);
  receive(stream, 1);
  assert.deepEqual(seen, ["data 1", "data 1"]);
});

Deno.test("stream returns credit when bytes were consumed, not when they arrive (SPEC 5.1)", () => {
  const { stream, calls } = makeStream();
  listen(stream);
  stream.resume();
  receive(stream, 1_000);
  assert.deepEqual(calls, []);
  stream.consumed(1_000);
  assert.deepEqual(calls, ["credit 2000"]);
});

Deno.test("stream without a data handler consumes bytes on its own", () => {
  const { stream, calls } = makeStream();
  stream.listen({});
  stream.resume();
  receive(stream, 1_000);
  assert.deepEqual(calls, ["credit 2000"]);
});

Deno.test("stream gives no credit for a direction that has ended", () => {
  const { stream, calls } = makeStream();
  listen(stream);
  stream.resume();
  receive(stream, 1_000);
  stream.receiveEnd(undefined);
  stream.consumed(1_000);
  assert.deepEqual(calls, []);
});

Deno.test("stream refuses bytes without credit (SPEC 5.1)", () => {
  const { stream } = makeStream();
  const act = () => stream.receive(incoming(ack), 1_001);
  assert.throws(act, { code: "flow_control_violation" });
});

Deno.test("stream sends no byte without credit, and continues with more (SPEC 5.1)", () => {
  const { stream, calls } = makeStream({}, 500);
  listen(stream);
  stream.write(new Uint8Array(600));
  stream.end();
  assert.deepEqual(flush(stream), [400, 100]);
  assert.equal(stream.bytesOut, 500);
  calls.length = 0;
  stream.raiseCredit(1_500);
  assert.deepEqual(calls, ["ready"]);
  assert.deepEqual(flush(stream), [100, 0]);
});

Deno.test("stream makes its writer wait at the high mark, and emits drain once at the low mark", () => {
  const { stream } = makeStream({ queueHighMark: 800, queueLowMark: 300 }, 10_000);
  const seen = listen(stream);
  assert.equal(stream.write(new Uint8Array(799)), true);
  assert.equal(stream.write(new Uint8Array(1)), false);
  assert.equal(stream.write(new Uint8Array(100)), false);
  stream.takeFrame(500);
  stream.frameWritten();
  assert.deepEqual(seen, []);
  flush(stream);
  assert.deepEqual(seen, ["drain"]);
});

Deno.test("stream is reset when more bytes are consumed than were delivered (SPEC 5.1)", () => {
  for (const count of [1_001, -1, NaN]) {
    const { stream, calls } = makeStream();
    const seen = listen(stream);
    stream.resume();
    receive(stream, 1_000);
    stream.consumed(count);
    const error = `error Cannot consume ${count} bytes: 1000 bytes are unconsumed`;
    assert.deepEqual(calls, [error, "reset internal", "closed"]);
    assert.deepEqual(seen, ["connect_ack", "data 1000", "closed internal"]);
  }
});

Deno.test("stream is reset when bytes are consumed that are still held", () => {
  const { stream, calls } = makeStream();
  listen(stream);
  receive(stream, 500);
  stream.consumed(500);
  assert.deepEqual(calls.slice(1), ["reset internal", "closed"]);
});

Deno.test("stream sends no number too far above one that was not acknowledged (SPEC 4.8)", () => {
  const { stream, calls } = makeStream({}, 1_000_000);
  const send = () => {
    stream.write(new Uint8Array(1));
    return stream.sendable ? stream.takeFrame(1).n : undefined;
  };
  assert.equal(send(), 0);
  for (let n = 1; n < 8_192; n++) {
    assert.equal(send(), n);
    stream.frameArrived(n);
  }
  assert.equal(send(), undefined);
  calls.length = 0;
  stream.frameArrived(0);
  assert.deepEqual(calls, ["ready"]);
  assert.equal(stream.takeFrame(1).n, 8_192);
});

Deno.test("stream puts messages in order and drops what arrived (SPEC 4.8)", () => {
  const { stream } = makeStream();
  const seen = listen(stream);
  stream.resume();
  const give = (n: number, message: StreamMessage, size: number) => {
    const reader = stream.receive(incoming(message, { n, end: n === 2 }), size);
    reader?.body(new Uint8Array(size));
    return reader !== undefined;
  };
  assert.equal(give(2, data, 3), true);
  assert.equal(give(1, data, 5), true);
  assert.equal(give(1, data, 5), false);
  assert.deepEqual([seen, stream.bytesIn], [[], 0]);
  assert.equal(give(0, ack, 0), true);
  assert.equal(give(0, ack, 0), false);
  assert.deepEqual(seen, ["connect_ack", "data 5", "data 3", "end -"]);
  assert.equal(stream.bytesIn, 8);
});
