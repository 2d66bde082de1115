import assert from "node:assert/strict";
import {
  data,
  flush,
  incoming,
  listen,
  makeStream,
  opening,
  receive,
} from "../../tests/support/noting_stream.ts";
import type { SallyportError } from "../errors.ts";

Deno.test("stream ends well when both directions have ended, whichever first (SPEC 4.1)", () => {
  for (const sendFirst of [true, false]) {
    const { stream, told } = makeStream();
    const seen = listen(stream);
    stream.resume();
    const steps = [() => (stream.end(), flush(stream)), () => stream.receiveEnd(undefined)];
    if (!sendFirst) steps.reverse();
    steps[0]!();
    assert.equal(stream.over, false);
    steps[1]!();
    assert.equal(stream.over, true);
    assert.deepEqual(seen, ["end -", "closed well"]);
    assert.deepEqual(told.filter((each) => each !== "ready"), ["finished"]);
  }
});

Deno.test("stream is not over before this end's last frame left", () => {
  const { stream } = makeStream();
  const seen = listen(stream, { data: () => assert.equal(stream.over, false) });
  receive(stream, 1);
  stream.receiveEnd(undefined);
  stream.end();
  assert.deepEqual(seen, []);
  stream.resume();
  assert.deepEqual(seen, ["connect_ack", "end -"]);
  flush(stream);
  assert.deepEqual(seen, ["connect_ack", "end -", "closed well"]);
});

Deno.test("stream ends its direction with websocket_close, whether told to or not (SPEC 4.2)", () => {
  const { stream } = makeStream();
  stream.send({ type: "websocket_close", payload: {} });
  assert.equal(stream.takeFrame(1).end, true);
});

Deno.test("stream sends nothing after its end", () => {
  const { stream } = makeStream();
  stream.end();
  stream.end(["late", "x"]);
  assert.equal(stream.write(new Uint8Array(10)), true);
  assert.deepEqual(flush(stream), [0]);
  assert.equal(stream.bytesOut, 0);
});

Deno.test("stream that is reset tells the peer once and drops its queue (SPEC 4.5)", () => {
  const { stream, told, budget } = makeStream({ maxWindow: 16_000 });
  const seen = listen(stream);
  stream.resume();
  receive(stream, 900);
  stream.consumed(900);
  assert.ok(budget.reserved > 0);
  stream.write(new Uint8Array(10));
  told.length = 0;
  stream.reset("cancelled", "x");
  stream.reset("internal", "y");
  assert.deepEqual(told, ["reset cancelled", "finished"]);
  assert.deepEqual(seen, ["connect_ack", "data 900", "closed cancelled"]);
  assert.equal(stream.sendable, false);
  assert.equal(budget.reserved, 0);
});

Deno.test("stream that the peer never heard of is reset without a word (SPEC 4.4)", () => {
  const { stream, told } = makeStream();
  stream.begin(new Uint8Array(5));
  stream.reset("cancelled", "x");
  assert.deepEqual(told, ["ready", "finished"]);
});

Deno.test("stream that is reset does not hand on what it held", () => {
  const { stream } = makeStream();
  const seen = listen(stream);
  receive(stream, 10);
  stream.fail({ code: "target_reset" } as SallyportError);
  stream.resume();
  assert.deepEqual(seen, ["closed target_reset"]);
});

Deno.test("stream stops handing on when its listener resets it", () => {
  const { stream } = makeStream();
  const seen = listen(stream, { message: () => stream.reset("bad_request", "x") });
  receive(stream, 10);
  receive(stream, 10);
  stream.resume();
  assert.deepEqual(seen, ["closed bad_request"]);
});

Deno.test("stream tells closed exactly once, also to who listens late", () => {
  const { stream } = makeStream();
  stream.fail({ code: "tunnel_down" } as SallyportError);
  assert.deepEqual(listen(stream), ["closed tunnel_down"]);
  assert.deepEqual(listen(stream), []);
});

Deno.test("stream does nothing more once it is over", () => {
  const { stream, told } = makeStream();
  const seen = listen(stream);
  stream.resume();
  receive(stream, 900);
  stream.fail({ code: "tunnel_down" } as SallyportError);
  told.length = 0;
  stream.consumed(900);
  stream.widen(5);
  stream.receiveBody(new Uint8Array(5));
  stream.receiveEnd(undefined);
  stream.end();
  assert.equal(stream.write(new Uint8Array(5)), true);
  assert.deepEqual(told, []);
  assert.deepEqual(seen, ["connect_ack", "data 900", "closed tunnel_down"]);
});

Deno.test("stream is reset by a message after the end (SPEC 4.4)", () => {
  const { stream, told } = makeStream();
  listen(stream);
  stream.resume();
  stream.receiveEnd(undefined);
  assert.equal(stream.receiveHead(incoming(data), 0), false);
  assert.deepEqual(told, ["reset protocol_violation", "finished"]);
});

Deno.test("stream is reset when it is to send what the peer would refuse", () => {
  const { stream, told } = makeStream({}, 1_000, false);
  receive(stream, 0, opening);
  const seen = listen(stream);
  stream.send({ type: "connect_ack", payload: { error: { code: "internal", message: "x".repeat(2_000) } } });
  assert.deepEqual(told, ["reset bad_request", "finished"]);
  assert.deepEqual(seen, ["closed bad_request"]);
});

Deno.test("stream that nobody resumed is over when both ends are on the wire, and hands on what it held", () => {
  for (const endFirst of [true, false]) {
    const { stream, told } = makeStream();
    const seen = listen(stream);
    receive(stream, 5);
    if (endFirst) {
      stream.end();
      flush(stream);
      assert.deepEqual(seen, []);
      stream.receiveEnd(undefined);
    } else {
      stream.receiveEnd(undefined);
      stream.end();
      assert.deepEqual(seen, []);
      flush(stream);
    }
    assert.deepEqual(seen, ["connect_ack", "data 5", "end -", "closed well"]);
    assert.equal(told.at(-1), "finished");
  }
});

Deno.test("stream that nobody listens to is over when both ends are on the wire", () => {
  const { stream, told, budget } = makeStream();
  receive(stream, 900);
  stream.receiveEnd(undefined);
  stream.end();
  flush(stream);
  assert.equal(stream.over, true);
  assert.equal(told.at(-1), "finished");
  assert.equal(budget.reserved, 0);
});

Deno.test("stream whose listener resumes once more tells the end before it is over", () => {
  const { stream } = makeStream();
  const seen = listen(stream, { message: () => stream.resume() });
  stream.end();
  flush(stream);
  receive(stream, 5);
  stream.receiveEnd(undefined);
  assert.deepEqual(seen, ["data 5", "end -", "closed well"]);
});
