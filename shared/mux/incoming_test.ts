import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeEnvelope, type Envelope } from "../protocol/envelope.ts";
import { type Incoming, readIncoming } from "./incoming.ts";

function read(envelope: Envelope): Incoming {
  return readIncoming(encodeEnvelope(envelope));
}

const violation = { name: "SallyportError", code: "protocol_violation" };

Deno.test("incoming message of the session is checked (SPEC 3)", () => {
  assert.deepEqual(read({ type: "ping", payload: { nonce: 3 } }), {
    kind: "session",
    message: { type: "ping", payload: { nonce: 3 } },
  });
  assert.throws(() => read({ type: "ping", payload: {} }), violation);
});

Deno.test("incoming message of a stream has its id, end and trailers (SPEC 4.2)", () => {
  const payload = { stream: 5, end: true, trailers: ["a", "b"], host: "h", port: 1 };
  assert.deepEqual(read({ type: "connect_request", payload }), {
    kind: "stream",
    id: 5,
    message: { type: "connect_request", payload: { host: "h", port: 1 } },
    end: true,
    trailers: ["a", "b"],
  });
  assert.throws(() => read({ type: "connect_data", payload: { stream: 0 } }), violation);
  assert.throws(() => read({ type: "connect_data", payload: {} }), violation);
});

Deno.test("incoming message without end goes on (SPEC 4.2)", () => {
  for (const payload of [{ stream: 5 }, { stream: 5, end: false }]) {
    const incoming = read({ type: "connect_data", payload });
    assert.ok(incoming.kind === "stream");
    assert.equal(incoming.end, false);
  }
});

Deno.test("incoming websocket_close always ends (SPEC 4.2)", () => {
  const incoming = read({ type: "websocket_close", payload: { stream: 2 } });
  assert.ok(incoming.kind === "stream");
  assert.equal(incoming.end, true);
});

Deno.test("incoming message of an unknown type names its stream, if any (SPEC 3.3)", () => {
  assert.deepEqual(read({ type: "later", payload: {} }), { kind: "unknown", type: "later", id: undefined });
  assert.deepEqual(read({ type: "later", payload: { stream: 4 } }), {
    kind: "unknown",
    type: "later",
    id: 4,
  });
  assert.deepEqual(read({ type: "constructor", payload: {} }), {
    kind: "unknown",
    type: "constructor",
    id: undefined,
  });
});

Deno.test("incoming message of an unknown type with a stream that is no id is a violation", () => {
  for (const stream of [0, -1, 1.5, "1", null, {}]) {
    assert.throws(() => read({ type: "later", payload: { stream } }), violation);
  }
});

Deno.test("incoming message means the same however its JSON is spaced", () => {
  const envelope = fc.oneof(
    fc.record({ type: fc.constant("ack"), payload: fc.record({ bytes: fc.maxSafeNat() }) }),
    fc.record({
      type: fc.constantFrom("connect_data", "websocket_message"),
      payload: fc.record({ stream: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }),
    }),
  );
  fc.assert(fc.property(envelope, (message) => {
    const spaced = new TextEncoder().encode(JSON.stringify(message, null, 1));
    assert.deepEqual(read(message), readIncoming(spaced));
  }));
});

Deno.test("incoming numbers that are none are violations in the short form too", () => {
  for (const number of ["-1", "01", "00", "1.5", "1e3x", "9007199254740993", "", " ", "1}", '"1"']) {
    for (const [type, member] of [["ack", "bytes"], ["connect_data", "stream"]]) {
      const json = `{"type":"${type}","payload":{"${member}":${number}}}`;
      assert.throws(() => readIncoming(new TextEncoder().encode(json)), violation, json);
    }
  }
  assert.throws(() => read({ type: "websocket_message", payload: { stream: 0 } }), violation);
});
