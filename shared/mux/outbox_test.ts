import assert from "node:assert/strict";
import { type EndOptions, Outbox, type OutgoingFrame } from "./outbox.ts";

const opening = { type: "connect_request", payload: { host: "a", port: 1 } } as const;

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

function read(frame: OutgoingFrame) {
  const json = typeof frame.json === "string" ? frame.json : new TextDecoder().decode(frame.json);
  return { ...JSON.parse(json), body: [...frame.body], end: frame.end };
}

function outbox(...items: [typeof opening | undefined, (Uint8Array | undefined)?, EndOptions?][]): Outbox {
  const box = new Outbox(7, "connect_data");
  for (const item of items) box.push(...item);
  return box;
}

Deno.test("outbox makes a frame of a message with its bytes (SPEC 4.2)", () => {
  const box = outbox([opening, bytes(1, 2)]);
  assert.equal(box.queued, 2);
  assert.deepEqual(read(box.take(100)), {
    type: "connect_request",
    payload: { stream: 7, host: "a", port: 1 },
    body: [1, 2],
    end: false,
  });
  assert.equal(box.queued, 0);
  assert.equal(box.sendable(100), false);
});

Deno.test("outbox makes data frames of plain bytes", () => {
  const data = { type: "connect_data", payload: { stream: 7 } };
  const box = outbox([undefined, bytes(1)]);
  assert.deepEqual(read(box.take(100)), { ...data, body: [1], end: false });
  const websocket = new Outbox(7, "websocket_message");
  websocket.push(undefined, bytes(1));
  assert.equal(read(websocket.take(9)).type, "websocket_message");
});

Deno.test("outbox cuts bytes to the limit, and the message goes with the first part only", () => {
  const box = outbox([opening, bytes(1, 2, 3, 4, 5)]);
  const frames = [read(box.take(2)), read(box.take(2)), read(box.take(2))];
  assert.deepEqual(frames.map(({ type }) => type), ["connect_request", "connect_data", "connect_data"]);
  assert.deepEqual(frames.map(({ body }) => body), [[1, 2], [3, 4], [5]]);
});

Deno.test("outbox ends with the last part, with the trailers (SPEC 4.2)", () => {
  const box = outbox([opening, bytes(1, 2), { end: true, trailers: ["x", "y"] }]);
  const [first, last] = [read(box.take(1)), read(box.take(1))];
  assert.deepEqual(first, {
    type: "connect_request",
    payload: { stream: 7, host: "a", port: 1 },
    body: [1],
    end: false,
  });
  assert.deepEqual(last, {
    type: "connect_data",
    payload: { stream: 7, end: true, trailers: ["x", "y"] },
    body: [2],
    end: true,
  });
});

Deno.test("outbox ends without bytes or trailers", () => {
  const box = outbox([undefined, undefined, { end: true }]);
  assert.deepEqual(read(box.take(100)), {
    type: "connect_data",
    payload: { stream: 7, end: true },
    body: [],
    end: true,
  });
});

Deno.test("outbox needs no credit for messages and ends, only for bytes (SPEC 5.1)", () => {
  const box = outbox([opening, bytes(1)], [undefined, undefined, { end: true }]);
  assert.equal(box.sendable(0), true);
  assert.deepEqual(read(box.take(0)).body, []);
  assert.equal(box.sendable(0), false);
  assert.equal(box.sendable(1), true);
  assert.deepEqual(read(box.take(1)).body, [1]);
  assert.equal(box.sendable(0), true);
  assert.equal(read(box.take(0)).end, true);
});

Deno.test("outbox never says a message twice when its bytes wait for credit", () => {
  const box = outbox([opening, bytes(1, 2)]);
  assert.equal(read(box.take(0)).type, "connect_request");
  assert.deepEqual(read(box.take(2)), {
    type: "connect_data",
    payload: { stream: 7 },
    body: [1, 2],
    end: false,
  });
});

Deno.test("outbox that was cleared has nothing", () => {
  const box = outbox([opening, bytes(1)]);
  box.clear();
  assert.equal(box.queued, 0);
  assert.equal(box.sendable(100), false);
});
