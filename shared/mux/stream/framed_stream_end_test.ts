import assert from "node:assert/strict";
import {
  data,
  flush,
  incoming,
  listen,
  makeStream,
  opening,
  receive,
} from "../../../tests/support/mux/recording_stream.ts";
import type { SallyportError } from "../../errors.ts";

Deno.test("stream closes when both directions have ended, whichever first (SPEC 4.1)", () => {
  for (const sendFirst of [true, false]) {
    const { stream, calls } = makeStream();
    const seen = listen(stream);
    stream.resume();
    const steps = [() => (stream.end(), flush(stream)), () => stream.receiveEnd(undefined)];
    if (!sendFirst) steps.reverse();
    steps[0]!();
    assert.equal(stream.over, false);
    steps[1]!();
    assert.equal(stream.over, true);
    assert.deepEqual(seen, ["end -", "closed in order"]);
    assert.deepEqual(calls.filter((each) => each !== "ready"), ["closed"]);
  }
});

Deno.test("stream is not over before this end's last frame was sent", () => {
  const { stream } = makeStream();
  const seen = listen(stream, { data: () => assert.equal(stream.over, false) });
  receive(stream, 1);
  stream.receiveEnd(undefined);
  stream.end();
  assert.deepEqual(seen, []);
  stream.resume();
  assert.deepEqual(seen, ["connect_ack", "end -"]);
  flush(stream);
  stream.consumed(1);
  assert.deepEqual(seen, ["connect_ack", "end -", "closed in order"]);
});

Deno.test("stream ends its direction with websocket_close, with or without end (SPEC 4.2)", () => {
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

Deno.test("stream that is reset sends one reset and drops its queue (SPEC 4.5)", () => {
  const { stream, calls, budget } = makeStream({ maxWindow: 16_000 });
  const seen = listen(stream);
  stream.resume();
  receive(stream, 900);
  stream.consumed(900);
  assert.ok(budget.reserved > 0);
  stream.write(new Uint8Array(10));
  calls.length = 0;
  stream.reset("cancelled", "x");
  stream.reset("internal", "y");
  assert.deepEqual(calls, ["reset cancelled", "closed"]);
  assert.deepEqual(seen, ["connect_ack", "data 900", "closed cancelled"]);
  assert.equal(stream.sendable, false);
  assert.equal(budget.reserved, 0);
});

Deno.test("stream that the peer never saw is closed without a reset (SPEC 4.4)", () => {
  const { stream, calls } = makeStream();
  stream.begin(new Uint8Array(5));
  stream.reset("cancelled", "x");
  assert.deepEqual(calls, ["ready", "closed"]);
});

Deno.test("stream that is reset does not deliver what it held", () => {
  const { stream } = makeStream();
  const seen = listen(stream);
  receive(stream, 10);
  stream.fail({ code: "target_reset" } as SallyportError);
  stream.resume();
  assert.deepEqual(seen, ["closed target_reset"]);
});

Deno.test("stream stops delivery when a handler resets it", () => {
  const { stream } = makeStream();
  const seen = listen(stream, { message: () => stream.reset("bad_request", "x") });
  receive(stream, 10);
  receive(stream, 10);
  stream.resume();
  assert.deepEqual(seen, ["closed bad_request"]);
});

Deno.test("stream emits closed exactly once, also to a late listener", () => {
  const { stream } = makeStream();
  stream.fail({ code: "tunnel_down" } as SallyportError);
  assert.deepEqual(listen(stream), ["closed tunnel_down"]);
  assert.deepEqual(listen(stream), []);
});

Deno.test("stream does nothing more once it is over", () => {
  const { stream, calls } = makeStream();
  const seen = listen(stream);
  stream.resume();
  receive(stream, 900);
  stream.fail({ code: "tunnel_down" } as SallyportError);
  calls.length = 0;
  stream.consumed(900);
  stream.raiseCredit(1_000_000);
  stream.receiveBody(new Uint8Array(5));
  stream.receiveEnd(undefined);
  stream.end();
  assert.equal(stream.write(new Uint8Array(5)), true);
  assert.deepEqual(calls, []);
  assert.deepEqual(seen, ["connect_ack", "data 900", "closed tunnel_down"]);
});

Deno.test("stream is reset by a message after the end (SPEC 4.4)", () => {
  const { stream, calls } = makeStream();
  listen(stream);
  stream.resume();
  stream.receiveEnd(undefined);
  stream.receive(incoming(data), 0);
  assert.deepEqual(calls, ["reset protocol_violation", "closed", "misused"]);
});

Deno.test("stream is reset instead of sending what the peer would refuse", () => {
  const { stream, calls } = makeStream({}, 1_000, false);
  receive(stream, 0, opening);
  const seen = listen(stream);
  stream.send({ type: "connect_ack", payload: { error: { code: "internal", message: "x".repeat(2_000) } } });
  assert.deepEqual(calls, ["reset bad_request", "closed"]);
  assert.deepEqual(seen, ["closed bad_request"]);
});

Deno.test("stream that is never resumed delivers what it held when both ends are on the wire", () => {
  for (const endFirst of [true, false]) {
    const { stream, calls } = makeStream();
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
    stream.consumed(5);
    assert.deepEqual(seen, ["connect_ack", "data 5", "end -", "closed in order"]);
    assert.equal(calls.at(-1), "closed");
  }
});

Deno.test("stream without handlers is over when both ends are on the wire", () => {
  const { stream, calls, budget } = makeStream();
  receive(stream, 900);
  stream.receiveEnd(undefined);
  stream.end();
  flush(stream);
  assert.equal(stream.over, true);
  assert.equal(calls.at(-1), "closed");
  assert.equal(budget.reserved, 0);
});

Deno.test("stream whose handler resumes again emits the end before it is over", () => {
  const { stream } = makeStream();
  const seen = listen(stream, { message: () => stream.resume() });
  stream.end();
  flush(stream);
  receive(stream, 5);
  stream.receiveEnd(undefined);
  stream.consumed(5);
  assert.deepEqual(seen, ["data 5", "end -", "closed in order"]);
});

Deno.test("stream counts unconsumed bytes after both ends, and a limit can close it", () => {
  for (const isConsumed of [true, false]) {
    const { stream, budget } = makeStream();
    const seen = listen(stream);
    stream.resume();
    receive(stream, 900);
    stream.end();
    flush(stream);
    stream.receiveEnd(undefined);
    assert.deepEqual(seen, ["connect_ack", "data 900", "end -"]);
    assert.ok(budget.held.total >= 900, `${budget.held.total} bytes are held`);
    if (isConsumed) stream.consumed(900);
    else stream.reset("limit_reached", "too much");
    assert.equal(seen.at(-1), isConsumed ? "closed in order" : "closed limit_reached");
    assert.equal(budget.held.total, 0);
  }
});
