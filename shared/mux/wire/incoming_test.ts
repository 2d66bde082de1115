import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeEnvelope, type Envelope } from "../../protocol/envelope.ts";
import { type Incoming, NumbersEnvelope, readIncoming } from "./incoming.ts";

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

Deno.test("incoming message of a stream has its id, number, end and trailers (SPEC 4.2)", () => {
  const payload = { stream: 5, n: 3, end: true, trailers: ["a", "b"], host: "h", port: 1 };
  assert.deepEqual(read({ type: "connect_request", payload }), {
    kind: "stream",
    id: 5,
    n: 3,
    message: { type: "connect_request", payload: { host: "h", port: 1 } },
    end: true,
    trailers: ["a", "b"],
  });
  assert.throws(() => read({ type: "connect_data", payload: { stream: 0, n: 1 } }), violation);
  for (const payload of [{}, { n: 1 }, { stream: 1 }, { stream: 1, n: -1 }, { stream: 1, n: 0.5 }]) {
    assert.throws(() => read({ type: "connect_data", payload }), violation);
  }
});

Deno.test("incoming message without end does not end its direction (SPEC 4.2)", () => {
  for (const payload of [{ stream: 5, n: 0 }, { stream: 5, n: 0, end: false }]) {
    const incoming = read({ type: "connect_data", payload });
    assert.ok(incoming.kind === "stream");
    assert.equal(incoming.end, false);
  }
});

Deno.test("incoming websocket_close always ends its direction (SPEC 4.2)", () => {
  const incoming = read({ type: "websocket_close", payload: { stream: 2, n: 7 } });
  assert.ok(incoming.kind === "stream");
  assert.equal(incoming.end, true);
});

Deno.test("incoming message of unknown type has its stream, if any (SPEC 3.3)", () => {
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

Deno.test("incoming message of unknown type with an invalid stream is a violation (SPEC 3.3)", () => {
  for (const stream of [0, -1, 1.5, "1", null, {}]) {
    assert.throws(() => read({ type: "later", payload: { stream } }), violation);
  }
});

Deno.test("incoming message is read the same with and without spaces in its JSON", () => {
  const envelope = fc.oneof(
    fc.record({ type: fc.constant("ack"), payload: fc.record({ bytes: fc.maxSafeNat() }) }),
    fc.record({
      type: fc.constantFrom("connect_data", "websocket_message"),
      payload: fc.record({
        stream: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        n: fc.maxSafeNat(),
      }),
    }),
  );
  fc.assert(fc.property(envelope, (message) => {
    const spaced = new TextEncoder().encode(JSON.stringify(message, null, 1));
    assert.deepEqual(read(message), readIncoming(spaced));
  }));
});

Deno.test("incoming invalid numbers are violations in the short form too", () => {
  for (const number of ["-1", "01", "00", "1.5", "1e3x", "9007199254740993", "", " ", "1}", '"1"']) {
    const payloads = [
      `{"type":"ack","payload":{"bytes":${number}}}`,
      `{"type":"connect_data","payload":{"stream":${number},"n":1}}`,
      `{"type":"connect_data","payload":{"stream":1,"n":${number}}}`,
    ];
    for (const json of payloads) {
      assert.throws(() => readIncoming(new TextEncoder().encode(json)), violation, json);
    }
  }
  assert.throws(() => read({ type: "websocket_message", payload: { stream: 0, n: 0 } }), violation);
});

const ack = new NumbersEnvelope("ack", ["bytes"]);

const plain = new NumbersEnvelope("connect_data", ["stream", "n"]);

function readNumbers(envelope: NumbersEnvelope, json: string): number[] | undefined {
  return envelope.read(new TextEncoder().encode(json));
}

Deno.test("numbers envelope reads what encodeEnvelope writes", () => {
  const number = fc.nat({ max: 999_999_999_999_999 });
  fc.assert(fc.property(number, number, (bytes, n) => {
    assert.deepEqual(ack.read(encodeEnvelope({ type: "ack", payload: { bytes } })), [bytes]);
    const payload = { stream: bytes, n };
    assert.deepEqual(plain.read(encodeEnvelope({ type: "connect_data", payload })), [bytes, n]);
  }));
});

Deno.test("numbers envelope leaves every other text to the JSON parser", () => {
  const others = ["", "{", "{}", "}}", "ack", '{"type":"ack","payload":{"bytes":}}'];
  for (const number of ["-1", "01", "1.0", "1e1", " 1", "1 ", '"1"', "1234567890123456"]) {
    others.push(`{"type":"ack","payload":{"bytes":${number}}}`);
  }
  others.push('{"type":"ack","payload":{"bytes":1},}', '{"type":"ack","payload":{"bytes":1}} ');
  others.push('{"type":"acks","payload":{"bytes":1}}', '{"payload":{"bytes":1},"type":"ack"}');
  for (const json of others) assert.equal(readNumbers(ack, json), undefined, json);
  for (
    const members of ['"n":1,"stream":1', '"stream":1', '"stream":1,"n":', '"stream":1,"n":1,"end":true']
  ) {
    const json = `{"type":"connect_data","payload":{${members}}}`;
    assert.equal(readNumbers(plain, json), undefined, json);
  }
});

Deno.test("numbers envelope never disagrees with the JSON parser", () => {
  const text = '{"type":"connect_data","payload":{"stream":12,"n":3}}';
  const mutation = fc.record({ at: fc.nat({ max: text.length - 1 }), to: fc.string({ maxLength: 2 }) });
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 3 }), (mutations) => {
      let json = text;
      for (const { at, to } of mutations) json = json.slice(0, at) + to + json.slice(at + 1);
      const [stream, n] = readNumbers(plain, json) ?? [];
      if (stream === undefined) return;
      assert.deepEqual(JSON.parse(json), { type: "connect_data", payload: { stream, n } });
    }),
    { numRuns: 2_000 },
  );
});
