import assert from "node:assert/strict";
import { latin1 } from "./latin1.ts";

Deno.test("latin1 maps every byte to the character with the same number", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.deepEqual([...latin1(bytes)].map((character) => character.codePointAt(0)), [...bytes]);
});

Deno.test("latin1 decodes a part of a buffer only", () => {
  assert.equal(latin1(new Uint8Array([0x41, 0x85, 0xe9, 0x42]).subarray(1, 3)), "\u0085\u00e9");
});
