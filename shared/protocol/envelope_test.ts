import assert from "node:assert/strict";
import { SallyportError } from "../errors.ts";
import { decodeEnvelope, encodeEnvelope } from "./envelope.ts";

const text = new TextEncoder();

function assertRefused(bytes: Uint8Array | string, message: RegExp): void {
  const given = typeof bytes === "string" ? text.encode(bytes) : bytes;
  assert.throws(() => decodeEnvelope(given), (error: unknown) => {
    assert.ok(error instanceof SallyportError, String(error));
    assert.equal(error.code, "protocol_violation");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("envelope is decoded as it was encoded", () => {
  const envelope = { type: "ping", payload: { nonce: 7, text: "żółw 🐢", list: ["a", "b"] } };
  assert.deepEqual(decodeEnvelope(encodeEnvelope(envelope)), envelope);
});

Deno.test("envelope is written as the JSON of SPEC 2.3", () => {
  const bytes = encodeEnvelope({ type: "ack", payload: { bytes: 5 } });
  assert.equal(new TextDecoder().decode(bytes), '{"type":"ack","payload":{"bytes":5}}');
});

Deno.test("envelope drops members that SPEC 2.3 does not name", () => {
  const bytes = text.encode('{"type":"ack","more":1,"payload":{"bytes":5}}');
  assert.deepEqual(decodeEnvelope(bytes), { type: "ack", payload: { bytes: 5 } });
});

Deno.test("envelope refuses JSON that is not an object (SPEC 2.3)", () => {
  assertRefused("[]", /expected an object, got an array$/);
  assertRefused("null", /expected an object, got null$/);
  assertRefused("42", /expected an object, got a number$/);
  assertRefused('"hello"', /expected an object, got a string$/);
  assertRefused("{}", /type must be a string/);
  assertRefused('{"type":1,"payload":{}}', /type must be a string, got a number$/);
  assertRefused('{"type":"ack"}', /payload must be an object/);
  assertRefused('{"type":"ack","payload":[]}', /payload must be an object, got an array$/);
  assertRefused('{"type":"ack","payload":null}', /payload must be an object, got null$/);
});

Deno.test("envelope refuses what is not JSON (SPEC 2.3)", () => {
  for (const given of ["{]", "  ", '{"type":"ack","payload":{}} x', "{'type':'ack'}"]) {
    assertRefused(given, /not JSON$/);
  }
});

Deno.test("envelope refuses what is not UTF-8 (SPEC 2.3)", () => {
  const good = text.encode('{"type":"ack","payload":{"text":"xx"}}');
  const at = good.lastIndexOf("x".charCodeAt(0));
  for (const bad of [[0xff, 0xfe], [0xc0, 0xaf], [0xc3, 0x28], [0xed, 0xa0]]) {
    const bytes = good.slice();
    bytes.set(bad, at - 1);
    assertRefused(bytes, /not UTF-8$/);
  }
});

Deno.test("envelope reads type and payload only from the object itself, not from its __proto__", () => {
  assertRefused('{"__proto__":{"type":"ack","payload":{}}}', /type must be a string/);
  decodeEnvelope(text.encode('{"type":"ack","payload":{"__proto__":{"polluted":true}}}'));
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

Deno.test("envelope decodes JSON of any depth that fits into a frame", () => {
  const depth = 131_000;
  assertRefused("[".repeat(depth * 2), /not JSON$/);
  assertRefused("[".repeat(depth) + "]".repeat(depth), /got an array$/);
  assertRefused('{"a":'.repeat(50_000), /not JSON$/);
  const deep = `{"type":"ack","payload":{"deep":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
  assert.equal(decodeEnvelope(text.encode(deep)).type, "ack");
});
