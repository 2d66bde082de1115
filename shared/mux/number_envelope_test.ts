import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeEnvelope } from "../protocol/envelope.ts";
import { NumberEnvelope } from "./number_envelope.ts";

const ack = new NumberEnvelope("ack", "bytes");

function read(json: string): number | undefined {
  return ack.read(new TextEncoder().encode(json));
}

Deno.test("number envelope reads what encodeEnvelope writes", () => {
  fc.assert(fc.property(fc.nat({ max: 999_999_999_999_999 }), (bytes) => {
    assert.equal(ack.read(encodeEnvelope({ type: "ack", payload: { bytes } })), bytes);
  }));
});

Deno.test("number envelope leaves every other text to the JSON parser", () => {
  const others = ["", "{", "{}", "}}", "ack", '{"type":"ack","payload":{"bytes":}}'];
  for (const number of ["-1", "01", "1.0", "1e1", " 1", "1 ", '"1"', "1234567890123456"]) {
    others.push(`{"type":"ack","payload":{"bytes":${number}}}`);
  }
  others.push('{"type":"ack","payload":{"bytes":1},}', '{"type":"ack","payload":{"bytes":1}} ');
  others.push('{"type":"acks","payload":{"bytes":1}}', '{"payload":{"bytes":1},"type":"ack"}');
  for (const json of others) assert.equal(read(json), undefined, json);
});

Deno.test("number envelope never disagrees with the JSON parser", () => {
  const text = '{"type":"ack","payload":{"bytes":12}}';
  const mutation = fc.record({ at: fc.nat({ max: text.length - 1 }), to: fc.string({ maxLength: 2 }) });
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 3 }), (mutations) => {
      let json = text;
      for (const { at, to } of mutations) json = json.slice(0, at) + to + json.slice(at + 1);
      const value = read(json);
      if (value !== undefined) assert.deepEqual(JSON.parse(json), { type: "ack", payload: { bytes: value } });
    }),
    { numRuns: 2_000 },
  );
});
