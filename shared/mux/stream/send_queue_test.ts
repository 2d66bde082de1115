import assert from "node:assert/strict";
import { encodeStreamFrame } from "../wire/stream_frame.ts";
import { type OutgoingFrame, SendQueue } from "./send_queue.ts";
import type { EndOptions } from "./stream.ts";

const opening = { type: "connect_request", payload: { host: "a", port: 1 } } as const;

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

function read(frame: OutgoingFrame) {
  return { ...JSON.parse(encodeStreamFrame(frame)), body: [...frame.body], end: frame.end };
}

function queueOf(
  ...items: [typeof opening | undefined, (Uint8Array | undefined)?, EndOptions?][]
): SendQueue {
  const queue = new SendQueue(7, "connect_data");
  for (const item of items) queue.push(...item);
  return queue;
}

Deno.test("send queue makes a frame of a message with its bytes (SPEC 4.2)", () => {
  const queue = queueOf([opening, bytes(1, 2)]);
  assert.equal(queue.queued, 2);
  assert.deepEqual(read(queue.take(100)), {
    type: "connect_request",
    payload: { stream: 7, n: 0, host: "a", port: 1 },
    body: [1, 2],
    end: false,
  });
  assert.equal(queue.queued, 0);
  assert.equal(queue.sendable(100), false);
});

Deno.test("send queue makes data frames of plain bytes", () => {
  const data = { type: "connect_data", payload: { stream: 7, n: 0 } };
  const queue = queueOf([undefined, bytes(1)]);
  assert.deepEqual(read(queue.take(100)), { ...data, body: [1], end: false });
  const websocket = new SendQueue(7, "websocket_message");
  websocket.push(undefined, bytes(1));
  assert.equal(read(websocket.take(9)).type, "websocket_message");
});

Deno.test("send queue cuts bytes to the limit, and sends the message with the first part only", () => {
  const queue = queueOf([opening, bytes(1, 2, 3, 4, 5)]);
  const frames = [read(queue.take(2)), read(queue.take(2)), read(queue.take(2))];
  assert.deepEqual(frames.map(({ type }) => type), ["connect_request", "connect_data", "connect_data"]);
  assert.deepEqual(frames.map(({ body }) => body), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(frames.map(({ payload }) => payload.n), [0, 1, 2]);
});

Deno.test("send queue ends with the last part and the trailers (SPEC 4.2)", () => {
  const queue = queueOf([opening, bytes(1, 2), { end: true, trailers: ["x", "y"] }]);
  const [first, last] = [read(queue.take(1)), read(queue.take(1))];
  assert.deepEqual(first, {
    type: "connect_request",
    payload: { stream: 7, n: 0, host: "a", port: 1 },
    body: [1],
    end: false,
  });
  assert.deepEqual(last, {
    type: "connect_data",
    payload: { stream: 7, n: 1, end: true, trailers: ["x", "y"] },
    body: [2],
    end: true,
  });
});

Deno.test("send queue ends without bytes or trailers", () => {
  const queue = queueOf([undefined, undefined, { end: true }]);
  assert.deepEqual(read(queue.take(100)), {
    type: "connect_data",
    payload: { stream: 7, n: 0, end: true },
    body: [],
    end: true,
  });
});

Deno.test("send queue needs no credit for messages and ends, only for bytes (SPEC 5.1)", () => {
  const queue = queueOf([opening, bytes(1)], [undefined, undefined, { end: true }]);
  assert.equal(queue.sendable(0), true);
  assert.deepEqual(read(queue.take(0)).body, []);
  assert.equal(queue.sendable(0), false);
  assert.equal(queue.sendable(1), true);
  assert.deepEqual(read(queue.take(1)).body, [1]);
  assert.equal(queue.sendable(0), true);
  assert.equal(read(queue.take(0)).end, true);
});

Deno.test("send queue sends a message once when its bytes wait for credit", () => {
  const queue = queueOf([opening, bytes(1, 2)]);
  assert.equal(read(queue.take(0)).type, "connect_request");
  assert.deepEqual(read(queue.take(2)), {
    type: "connect_data",
    payload: { stream: 7, n: 1 },
    body: [1, 2],
    end: false,
  });
});

Deno.test("send queue that was cleared is empty", () => {
  const queue = queueOf([opening, bytes(1)]);
  queue.clear();
  assert.equal(queue.queued, 0);
  assert.equal(queue.sendable(100), false);
});

Deno.test("send queue numbers its frames, whatever they carry (SPEC 4.8)", () => {
  const queue = queueOf([opening], [undefined, bytes(1)], [undefined, bytes(2)]);
  queue.push({ type: "connect_ack", payload: {} });
  queue.push(undefined, undefined, { end: true });
  const frames: OutgoingFrame[] = [];
  while (queue.sendable(9)) frames.push(queue.take(9));
  assert.deepEqual(frames.map(({ n }) => n), [0, 1, 2, 3]);
  assert.deepEqual(frames.map((frame) => read(frame).payload.n), [0, 1, 2, 3]);
});
