import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SallyportError } from "../../../shared/errors.ts";
import type { FramedStream } from "../../../shared/mux/stream/framed_stream.ts";
import type { EndOptions, MuxStream } from "../../../shared/mux/stream/stream.ts";
import { ack, incoming, makeStream } from "../../../tests/support/mux/recording_stream.ts";
import { EarlyTunnel } from "./early_tunnel.ts";

const CREDIT = 1_000_000;
const bytes = (text: string) => Buffer.from(text);
const goingAway = new SallyportError("going_away", "the server is shutting down");

/** A tunnel with what happened to it. */
function makeTunnel(first = "") {
  const { stream, calls, budget } = makeStream({}, CREDIT);
  const seen: string[] = [];
  const opened: { first: string; end: boolean; answer: PromiseWithResolvers<MuxStream> }[] = [];
  stream.begin();
  const tunnel = new EarlyTunnel({
    stream,
    first: bytes(first),
    openStream(_, options: EndOptions & { bytes?: Uint8Array } = {}) {
      const answer = Promise.withResolvers<MuxStream>();
      opened.push({ first: latin1(options.bytes), end: options.end === true, answer });
      return answer.promise;
    },
    reached: () => seen.push("reached"),
    failed: ({ code }) => seen.push(`failed ${code}`),
  });
  tunnel.listen({
    message: ({ type }) => seen.push(type),
    data: (part) => seen.push(`data ${latin1(part)}`),
    end: () => seen.push("end"),
    drain: () => seen.push("drain"),
    closed: (error) => seen.push(`closed ${error?.code}`),
  });
  tunnel.resume();
  return { tunnel, stream, calls, seen, opened, held: () => budget.held.total };
}

function latin1(part: Uint8Array = new Uint8Array(0)): string {
  return Buffer.from(part).toString("latin1");
}

/** Takes everything that a stream can send, and whether that is all. */
function sent(stream: FramedStream): { text: string; end: boolean } {
  let [text, end] = ["", false];
  while (stream.sendable) {
    const frame = stream.takeFrame(65_536);
    text += latin1(frame.body);
    end ||= frame.end;
    stream.frameWritten();
  }
  return { text, end };
}

/** Lets promises settle. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("EarlyTunnel passes bytes on before the response and both ways after it", () => {
  const { tunnel, stream, seen } = makeTunnel();
  assert.equal(tunnel.write(bytes("hello")), true);
  assert.deepEqual(sent(stream), { text: "hello", end: false });
  stream.receiveHead(incoming(ack), 2);
  stream.receiveBody(bytes("hi"));
  tunnel.write(bytes(" again"));
  tunnel.end();
  assert.deepEqual(sent(stream), { text: " again", end: true });
  stream.receiveEnd(undefined);
  tunnel.consumed(2);
  assert.deepEqual(seen, ["reached", "drain", "data hi", "end", "closed undefined"]);
  assert.equal(tunnel.over, true);
});

Deno.test("EarlyTunnel closes with the error of the response, and ends the stream in order for the server", () => {
  const { tunnel, stream, calls, seen } = makeTunnel();
  tunnel.write(bytes("hello"));
  sent(stream);
  const error = { code: "target_refused", message: "Cannot dial a:1" };
  stream.receiveHead(incoming({ type: "connect_ack", payload: { error } }, { end: true }), 0);
  stream.receiveEnd(undefined);
  assert.deepEqual(seen, ["failed target_refused", "closed target_refused"]);
  assert.equal(sent(stream).end, true);
  assert.deepEqual(calls.filter((call) => call !== "ready"), ["closed"], "there is no reset");
  assert.deepEqual([tunnel.over, tunnel.write(bytes("lost"))], [true, true]);
});

Deno.test("EarlyTunnel closes when the stream is reset or ends before the response", () => {
  const reset = makeTunnel();
  reset.stream.resetByPeer(new SallyportError("limit_reached", "too many"));
  assert.deepEqual(reset.seen, ["failed limit_reached", "closed limit_reached"]);
  const lost = makeTunnel();
  lost.stream.fail(new SallyportError("tunnel_down", "lost"));
  assert.deepEqual(lost.seen, ["failed tunnel_down", "closed tunnel_down"]);
  const ended = makeTunnel();
  sent(ended.stream);
  ended.stream.receiveEnd(undefined);
  assert.deepEqual(ended.seen, ["failed protocol_violation", "closed protocol_violation"]);
});

Deno.test("EarlyTunnel that the client resets is not a failure", () => {
  const { tunnel, stream, calls, seen } = makeTunnel();
  sent(stream);
  tunnel.reset("cancelled", "gone");
  assert.deepEqual(seen, ["closed cancelled"]);
  assert.ok(calls.includes("reset cancelled"));
});

Deno.test("EarlyTunnel asks the client to pause at 64 KiB until the response", () => {
  const { tunnel, stream, seen, held } = makeTunnel("first");
  assert.equal(tunnel.write(new Uint8Array(65_530)), true);
  assert.equal(tunnel.write(bytes("x")), false);
  assert.equal(sent(stream).text.length, 65_531);
  const before = held();
  assert.deepEqual(seen, []);
  stream.receiveHead(incoming(ack), 0);
  assert.deepEqual(seen, ["reached", "drain"]);
  assert.ok(before - held() >= 65_536, "what might have had to be sent again counts until then");
});

Deno.test("EarlyTunnel is opened elsewhere with all bytes when the server did not process it (SPEC 3.4)", async () => {
  const { tunnel, stream, seen, opened, held } = makeTunnel("one ");
  tunnel.write(bytes("two "));
  stream.failUnprocessed(goingAway);
  assert.equal(tunnel.write(bytes("three")), false, "while it is being opened");
  tunnel.end();
  assert.deepEqual([opened[0]!.first, opened[0]!.end, tunnel.over], ["one two ", false, false]);
  const next = makeStream({}, CREDIT);
  opened[0]!.answer.resolve(next.stream);
  await turn();
  assert.deepEqual(sent(next.stream), { text: "three", end: true });
  assert.deepEqual(seen, ["drain"]);
  next.stream.receiveHead(incoming(ack), 0);
  next.stream.receiveEnd(undefined);
  assert.deepEqual(seen, ["drain", "reached", "drain", "end", "closed undefined"]);
  assert.equal(held(), 0, "nothing is held for the first stream");
});

Deno.test("EarlyTunnel sends the client's end again with its bytes", async () => {
  const { tunnel, stream, opened } = makeTunnel("all");
  tunnel.end();
  stream.failUnprocessed(goingAway);
  assert.deepEqual([opened[0]!.first, opened[0]!.end], ["all", true]);
  const next = makeStream({}, CREDIT);
  opened[0]!.answer.resolve(next.stream);
  await turn();
  assert.deepEqual(sent(next.stream), { text: "", end: false }, "the opening message had both");
});

Deno.test("EarlyTunnel fails when it cannot be opened elsewhere", async () => {
  const { stream, seen, opened } = makeTunnel();
  stream.failUnprocessed(goingAway);
  opened[0]!.answer.reject(new SallyportError("tunnel_down", "no connection"));
  await turn();
  assert.deepEqual(seen, ["failed tunnel_down", "closed tunnel_down"]);
});

Deno.test("EarlyTunnel resets a stream that opens after its client went away", async () => {
  const { tunnel, stream, seen, opened } = makeTunnel();
  stream.failUnprocessed(goingAway);
  tunnel.reset("cancelled", "gone");
  const next = makeStream();
  next.stream.begin();
  sent(next.stream);
  opened[0]!.answer.resolve(next.stream);
  await turn();
  assert.deepEqual(seen, ["closed cancelled"]);
  assert.ok(next.calls.includes("reset cancelled"));
});
