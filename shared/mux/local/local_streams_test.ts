import assert from "node:assert/strict";
import { collect } from "../../../tests/support/mux/collect.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { within } from "../../../tests/support/within.ts";
import { SallyportError } from "../../errors.ts";
import type { OpeningMessage } from "../../protocol/messages.ts";
import { LocalStreams, type LocalStreamsInit } from "./local_streams.ts";
import { MemoryBudget } from "../flow/memory_budget.ts";
import type { MuxStream } from "../stream/stream.ts";

const CONNECT: OpeningMessage = { type: "connect_request", payload: { host: "example.org", port: 443 } };
const ACK = { type: "connect_ack", payload: {} } as const;

/** Runs `body` with local streams and their far ends in order of arrival, and checks that nothing is left. */
async function scene(
  body: (streams: LocalStreams, far: MuxStream[], consumerErrors: SallyportError[]) => Promise<void>,
  options: LocalStreamsInit["options"] = {},
  clock = new ManualClock(),
): Promise<void> {
  const [far, consumerErrors]: [MuxStream[], SallyportError[]] = [[], []];
  const budget = new MemoryBudget(1_000_000);
  const streams = new LocalStreams({
    clock,
    budget,
    where: "the agent",
    stream: (stream) => far.push(stream),
    consumerError: (error) => consumerErrors.push(error),
    options,
  });
  await body(streams, far, consumerErrors);
  await within(5_000, streams.drain(), "every stream closes");
  assert.deepEqual([streams.size, budget.held.total, budget.reserved, clock.timers], [0, 0, 0, 0]);
}

/** Waits until everything in flight has arrived. */
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

function closedOf(stream: MuxStream): Promise<SallyportError | undefined> {
  const closed = Promise.withResolvers<SallyportError | undefined>();
  stream.listen({ closed: closed.resolve });
  return within(5_000, closed.promise, "the stream is over");
}

Deno.test("local streams carry the opening message, bytes and ends both ways", async () => {
  await scene(async (streams, far) => {
    const near = streams.open(CONNECT, new TextEncoder().encode("early"), { end: true });
    assert.deepEqual([streams.size, far.length, near.isLocal], [1, 0, true], "nothing arrives at once");
    const answer = collect(near);
    await turn();
    assert.deepEqual(far[0]!.opening, CONNECT);
    const request = collect(far[0]!);
    far[0]!.send(ACK, new TextEncoder().encode("answer"));
    far[0]!.end();
    assert.equal(new TextDecoder().decode((await within(5_000, request, "the request")).bytes), "early");
    const { bytes, messages } = await within(5_000, answer, "the answer");
    assert.equal(new TextDecoder().decode(bytes), "answer");
    assert.deepEqual(messages, [ACK]);
  });
});

Deno.test("local streams make a writer wait whose reader consumes nothing", async () => {
  const options = { initialWindow: 10_000, queueHighMark: 4_000, queueLowMark: 1_000 };
  await scene(async (streams, far) => {
    const near = streams.open(CONNECT);
    let drained = 0;
    near.listen({ drain: () => drained++ });
    near.resume();
    await turn();
    let read = 0;
    far[0]!.listen({ data: (bytes) => read += bytes.byteLength });
    far[0]!.resume();
    assert.equal(near.write(new Uint8Array(13_999)), false);
    await turn();
    assert.deepEqual([read, drained], [10_000, 0], "the window, and no byte more");
    far[0]!.consumed(10_000);
    await turn();
    assert.deepEqual([read, drained], [13_999, 1]);
    far[0]!.consumed(3_999);
    near.end();
    far[0]!.send(ACK, undefined, { end: true });
  }, options);
});

Deno.test("local streams give every stream its turn", async () => {
  await scene(async (streams, far) => {
    const order: number[] = [];
    const near = [streams.open(CONNECT), streams.open(CONNECT)];
    await turn();
    far.forEach((stream, i) => {
      stream.listen({ data: (bytes) => (order.push(i), stream.consumed(bytes.byteLength)) });
      stream.resume();
    });
    near[0]!.write(new Uint8Array(200_000));
    near[1]!.write(new Uint8Array(10));
    await turn();
    assert.deepEqual(order.slice(0, 2), [0, 1]);
    for (const stream of [...near, ...far]) stream.reset("cancelled", "enough");
  });
});

/** Makes two consumers pass bytes on without end, and returns their count. */
function pourThrough(near: MuxStream, far: MuxStream): () => number {
  const chunk = new Uint8Array(65_536);
  let read = 0;
  far.listen({
    data(bytes) {
      read += bytes.byteLength;
      // Otherwise the test would hang if nothing stops them.
      if (read > 64 * 1_048_576) throw new Error("the event loop is blocked");
      far.consumed(bytes.byteLength);
    },
  });
  far.resume();
  const fill = () => {
    while (near.write(chunk)) continue;
  };
  near.listen({ drain: fill });
  near.resume();
  fill();
  return () => read;
}

Deno.test("local streams do not block the event loop while two consumers send without end", async () => {
  const clock = new ManualClock();
  await scene(
    async (streams, far, consumerErrors) => {
      const near = streams.open(CONNECT);
      await turn();
      const read = pourThrough(near, far[0]!);
      let before = 0;
      for (let event = 0; event < 3; event++) {
        await turn();
        const carried = read() - before;
        assert.ok(carried > 3_500_000 && carried < 4_500_000, `${carried} bytes in an event`);
        before = read();
        clock.advance(0);
      }
      await turn();
      const closed = closedOf(far[0]!);
      near.reset("cancelled", "enough");
      assert.equal((await closed)?.code, "cancelled", "a reset does not wait for its turn");
      assert.deepEqual(consumerErrors, []);
    },
    {},
    clock,
  );
});

Deno.test("local streams pass a reset to the other end, marked as of this process", async () => {
  await scene(async (streams, far) => {
    const first = streams.open(CONNECT);
    await turn();
    const atNear = closedOf(first);
    far[0]!.reset("target_refused", "nothing listens");
    const error = await atNear;
    assert.deepEqual([error?.code, error?.message, error?.at], ["target_refused", "nothing listens", "here"]);
    const second = streams.open(CONNECT);
    await turn();
    const atFar = closedOf(far[1]!);
    second.reset("cancelled", "the client went away");
    assert.equal((await atFar)?.code, "cancelled");
  });
});

Deno.test("local streams never deliver a stream that is reset before it arrives", async () => {
  await scene(async (streams, far) => {
    streams.open(CONNECT).reset("cancelled", "the client went away");
    await turn();
    assert.equal(far.length, 0);
  });
});

Deno.test("local streams reset only the stream with a message out of place", async () => {
  await scene(async (streams, far) => {
    const [near, other] = [streams.open(CONNECT), streams.open(CONNECT)];
    await turn();
    const closed = closedOf(near);
    far[0]!.send({ type: "http_response", payload: { status: 200, reason: "", headers: [] } });
    assert.equal((await closed)?.code, "protocol_violation");
    assert.equal(other.over, false);
    other.reset("cancelled", "enough");
  });
});

Deno.test("local streams reset the stream whose callback throws, and report it", async () => {
  await scene(async (streams, far, consumerErrors) => {
    const near = streams.open(CONNECT, new Uint8Array(1));
    await turn();
    const closed = closedOf(near);
    far[0]!.listen({
      data() {
        throw new Error("a bug");
      },
    });
    far[0]!.resume();
    assert.equal((await closed)?.code, "internal");
    assert.match(consumerErrors[0]!.message, /a bug/);
  });
});

Deno.test("local streams have a limit, and open none while draining", async () => {
  await scene(async (streams) => {
    const near = streams.open(CONNECT);
    assert.throws(() => streams.open(CONNECT), {
      code: "limit_reached",
      // Not of a server or tunnel: nothing there would help.
      at: "here",
      message: "Cannot open a stream: the agent serves at most 1 streams directly at once",
    });
    let drained = false;
    const draining = streams.drain().then(() => drained = true);
    assert.throws(() => streams.open(CONNECT), {
      ...{ code: "going_away", at: "here" },
      message: "Cannot open a stream: the agent is stopping",
    });
    await turn();
    assert.equal(drained, false, "one is open");
    near.reset("cancelled", "enough");
    await within(5_000, draining, "the last one is over");
  }, { maxStreams: 1 });
});

Deno.test("local streams close both ends of every stream", async () => {
  await scene(async (streams, far) => {
    const near = streams.open(CONNECT);
    await turn();
    const closed = [closedOf(near), closedOf(far[0]!)];
    streams.close(new SallyportError("going_away", "over"));
    for (const each of closed) assert.equal((await each)?.code, "going_away");
  });
});
