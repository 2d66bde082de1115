import assert from "node:assert/strict";
import { readIncoming } from "./incoming.ts";

const violation = { name: "SallyportError", code: "protocol_violation" };

Deno.test("incoming message of the session is checked (SPEC 3)", () => {
  assert.deepEqual(readIncoming({ type: "ping", payload: { nonce: 3 } }), {
    kind: "session",
    message: { type: "ping", payload: { nonce: 3 } },
  });
  assert.throws(() => readIncoming({ type: "ping", payload: {} }), violation);
});

Deno.test("incoming message of a stream has its id, end and trailers (SPEC 4.2)", () => {
  const payload = { stream: 5, end: true, trailers: ["a", "b"], host: "h", port: 1 };
  assert.deepEqual(readIncoming({ type: "connect_request", payload }), {
    kind: "stream",
    id: 5,
    message: { type: "connect_request", payload: { host: "h", port: 1 } },
    end: true,
    trailers: ["a", "b"],
  });
  assert.throws(() => readIncoming({ type: "connect_data", payload: { stream: 0 } }), violation);
  assert.throws(() => readIncoming({ type: "connect_data", payload: {} }), violation);
});

Deno.test("incoming message without end goes on (SPEC 4.2)", () => {
  for (const payload of [{ stream: 5 }, { stream: 5, end: false }]) {
    const incoming = readIncoming({ type: "connect_data", payload });
    assert.ok(incoming.kind === "stream");
    assert.equal(incoming.end, false);
  }
});

Deno.test("incoming websocket_close always ends (SPEC 4.2)", () => {
  const incoming = readIncoming({ type: "websocket_close", payload: { stream: 2 } });
  assert.ok(incoming.kind === "stream");
  assert.equal(incoming.end, true);
});

Deno.test("incoming message of an unknown type names its stream, if any (SPEC 3.3)", () => {
  assert.deepEqual(readIncoming({ type: "later", payload: {} }), { kind: "unknown", id: undefined });
  assert.deepEqual(readIncoming({ type: "later", payload: { stream: 4 } }), { kind: "unknown", id: 4 });
  assert.deepEqual(readIncoming({ type: "constructor", payload: {} }), { kind: "unknown", id: undefined });
});

Deno.test("incoming message of an unknown type with a stream that is no id is a violation", () => {
  for (const stream of [0, -1, 1.5, "1", null, {}]) {
    assert.throws(() => readIncoming({ type: "later", payload: { stream } }), violation);
  }
});
