import assert from "node:assert/strict";
import type { SallyportError } from "../errors.ts";
import type { OpeningMessage } from "../protocol/messages.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { type SessionOptions, sessionOptions } from "./options.ts";
import { MuxStream, type StreamEvents } from "./stream.ts";

const opening: OpeningMessage = { type: "connect_request", payload: { host: "a", port: 1 } };
const ack = { type: "connect_ack", payload: {} } as const;

/** A stream with an owner that writes down what it is told. */
function makeStream(options: Partial<SessionOptions> = {}, sendCredit = 1_000) {
  const told: string[] = [];
  const budget = new MemoryBudget(1_000_000);
  const stream = new MuxStream({
    id: 1,
    opening,
    budget,
    sendCredit,
    options: sessionOptions({ initialWindow: 1_000, maxWindow: 1_000, ...options }),
    owner: {
      ready: () => told.push("ready"),
      sendCredit: (_, bytes) => told.push(`credit ${bytes}`),
      sendReset: (_, code) => told.push(`reset ${code}`),
      finished: () => told.push("finished"),
    },
  });
  return { stream, told, budget };
}

/** Listens and writes down what comes. */
function listen(stream: MuxStream, more: StreamEvents = {}): string[] {
  const seen: string[] = [];
  stream.listen({
    message: ({ type }) => seen.push(type),
    data: (bytes) => seen.push(`data ${bytes.byteLength}`),
    end: (trailers) => seen.push(`end ${trailers ?? "-"}`),
    drain: () => seen.push("drain"),
    closed: (error: SallyportError | undefined) => seen.push(`closed ${error?.code ?? "well"}`),
    ...more,
  });
  return seen;
}

/** A message of the peer, whole. */
function receive(
  stream: MuxStream,
  size: number,
  message: Parameters<MuxStream["receiveHead"]>[0] = ack,
): void {
  assert.ok(stream.receiveHead(message, size));
  if (size > 0) stream.receiveBody(new Uint8Array(size));
}

/** Sends all that can be sent. */
function flush(stream: MuxStream): number[] {
  const bodies: number[] = [];
  while (stream.sendable) {
    bodies.push(stream.takeFrame(400).body.byteLength);
    stream.frameTaken();
  }
  return bodies;
}

Deno.test("stream holds events until resume, in order", () => {
  const { stream } = makeStream();
  const seen = listen(stream);
  receive(stream, 3, opening);
  receive(stream, 5);
  stream.receiveEnd(["a", "b"]);
  assert.deepEqual(seen, []);
  stream.resume();
  assert.deepEqual(seen, ["data 3", "connect_ack", "data 5", "end a,b"]);
  assert.equal(stream.bytesIn, 8);
  stream.resume();
  assert.equal(seen.length, 4);
});

Deno.test("stream does not repeat its opening message, nor tell of data messages", () => {
  const { stream } = makeStream();
  const seen = listen(stream);
  stream.resume();
  receive(stream, 1, opening);
  receive(stream, 1, { type: "connect_data", payload: {} });
  receive(stream, 1, { type: "websocket_message", payload: {} });
  assert.deepEqual(seen, ["data 1", "data 1", "data 1"]);
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
  const act = () => stream.receiveHead(ack, 1_001);
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

Deno.test("stream is not over before the peer's end was handed on", () => {
  const { stream } = makeStream();
  const seen = listen(stream);
  stream.end();
  flush(stream);
  receive(stream, 1);
  stream.receiveEnd(undefined);
  assert.equal(stream.over, false);
  stream.resume();
  assert.deepEqual(seen, ["connect_ack", "data 1", "end -", "closed well"]);
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
  stream.send(opening, new Uint8Array(5));
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

Deno.test("stream says that a message came after the end (SPEC 4.4)", () => {
  const { stream } = makeStream();
  listen(stream);
  stream.resume();
  stream.receiveEnd(undefined);
  assert.equal(stream.receiveHead({ type: "connect_data", payload: {} }, 0), false);
});

Deno.test("stream is reset when it is to send what the peer would refuse", () => {
  const { stream, told } = makeStream();
  receive(stream, 0, opening);
  const seen = listen(stream);
  stream.send({ type: "http_response", payload: { status: 200, reason: "x".repeat(2_000) } });
  assert.deepEqual(told, ["reset bad_request", "finished"]);
  assert.deepEqual(seen, ["closed bad_request"]);
});
