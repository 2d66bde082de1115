import assert from "node:assert/strict";
import {
  ack,
  flush,
  incoming,
  listen,
  makeStream,
  opening,
  receive,
} from "../../tests/support/noting_stream.ts";

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

Deno.test("stream does not repeat its opening message, nor tell of data messages", () => {
  const { stream } = makeStream({}, 1_000, false);
  const seen = listen(stream);
  stream.resume();
  receive(stream, 1, opening);
  receive(stream, 1);
  assert.deepEqual(seen, ["data 1", "data 1"]);
});

Deno.test("stream returns credit when bytes were handed on, not when they come (SPEC 5.1)", () => {
  const { stream, told } = makeStream();
  listen(stream);
  stream.resume();
  receive(stream, 1_000);
  assert.deepEqual(told, []);
  stream.consumed(1_000);
  assert.deepEqual(told, ["credit 1000"]);
});

Deno.test("stream without a data listener hands bytes on to nobody", () => {
  const { stream, told } = makeStream();
  stream.listen({});
  stream.resume();
  receive(stream, 1_000);
  assert.deepEqual(told, ["credit 1000"]);
});

Deno.test("stream gives no credit for a direction that has ended", () => {
  const { stream, told } = makeStream();
  listen(stream);
  stream.resume();
  receive(stream, 1_000);
  stream.receiveEnd(undefined);
  stream.consumed(1_000);
  assert.deepEqual(told, []);
});

Deno.test("stream refuses bytes without credit (SPEC 5.1)", () => {
  const { stream } = makeStream();
  const act = () => stream.receiveHead(incoming(ack), 1_001);
  assert.throws(act, { code: "flow_control_violation" });
});

Deno.test("stream sends no byte beyond its credit, and goes on with more (SPEC 5.1)", () => {
  const { stream, told } = makeStream({}, 500);
  listen(stream);
  stream.write(new Uint8Array(600));
  stream.end();
  assert.deepEqual(flush(stream), [400, 100]);
  assert.equal(stream.bytesOut, 500);
  told.length = 0;
  stream.widen(1_000);
  assert.deepEqual(told, ["ready"]);
  assert.deepEqual(flush(stream), [100, 0]);
});

Deno.test("stream asks its writer to pause at the high mark, and tells of the low mark once", () => {
  const { stream } = makeStream({ queueHighMark: 800, queueLowMark: 300 }, 10_000);
  const seen = listen(stream);
  assert.equal(stream.write(new Uint8Array(799)), true);
  assert.equal(stream.write(new Uint8Array(1)), false);
  assert.equal(stream.write(new Uint8Array(100)), false);
  stream.takeFrame(500);
  stream.frameTaken();
  assert.deepEqual(seen, []);
  flush(stream);
  assert.deepEqual(seen, ["drain"]);
});

Deno.test("stream takes no more bytes for handed on than its listener got (SPEC 5.1)", () => {
  for (const count of [1_001, -1, NaN]) {
    const { stream, told } = makeStream();
    const seen = listen(stream);
    stream.resume();
    receive(stream, 1_000);
    stream.consumed(count);
    const fault = `fault Cannot take ${count} bytes for handed on: the room has 1000`;
    assert.deepEqual(told, [fault, "reset internal", "finished"]);
    assert.deepEqual(seen, ["connect_ack", "data 1000", "closed internal"]);
  }
});

Deno.test("stream takes no bytes for handed on that are still under way or held", () => {
  const { stream, told } = makeStream();
  listen(stream);
  receive(stream, 500);
  stream.consumed(500);
  assert.deepEqual(told.slice(1), ["reset internal", "finished"]);
});
