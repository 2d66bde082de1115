import assert from "node:assert/strict";
import fc from "fast-check";
import { withReason } from "../../../tests/support/with_reason.ts";
import { readDer, readWholeDer } from "./der.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);
const shown = (hex: string) => readDer(bytes(hex)).map(({ tag, content }) => [tag, content.toHex()]);

Deno.test("readDer reads consecutive values", () => {
  assert.deepEqual(shown("0201050c0141"), [[0x02, "05"], [0x0c, "41"]]);
  assert.deepEqual(shown("0500"), [[0x05, ""]]);
  assert.deepEqual(readDer(undefined), []);
});

Deno.test("readDer reads long lengths", () => {
  const content = "ab".repeat(300);
  assert.deepEqual(shown(`0482012c${content}`), [[0x04, content]]);
  assert.deepEqual(shown(`048180${"cd".repeat(128)}`), [[0x04, "cd".repeat(128)]]);
});

Deno.test("readDer stops before a value that is cut off", () => {
  assert.deepEqual(shown("020105040500"), [[0x02, "05"]]);
  assert.deepEqual(shown("04"), []);
  assert.deepEqual(shown("0484"), []);
  assert.deepEqual(shown("0484ffffffff00"), []);
});

Deno.test("readDer terminates on any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
    const total = readDer(input).reduce((sum, { content }) => sum + content.length + 2, 0);
    assert.ok(total <= input.length);
  }));
});

Deno.test("readWholeDer refuses trailing bytes", () => {
  assert.deepEqual(readWholeDer(bytes("0201050500")).map(({ raw }) => raw.toHex()), ["020105", "0500"]);
  assert.deepEqual(readWholeDer(bytes("")), []);
  const reason = withReason("bad_request", /^Cannot read DER: it is cut off after 3 of 6 bytes$/);
  assert.throws(() => readWholeDer(bytes("020105040500")), reason);
});
