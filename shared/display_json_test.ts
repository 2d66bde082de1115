import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeForDisplay } from "./display_json.ts";

Deno.test("escapeForDisplay escapes what a reader of a log would obey", () => {
  const bad = "\x7f\x80\x85\x9b\u200b\u200e\u2028\u2029\u202e\u2066\u2069\ufeff";
  const json = escapeForDisplay(JSON.stringify({ [bad]: `a${bad}\x1b[31m\r\nb` }));
  assert.match(json, /^[\x20-\x7e]+$/);
  assert.deepEqual(JSON.parse(json), { [bad]: `a${bad}\x1b[31m\r\nb` });
});

Deno.test("escapeForDisplay leaves JSON's meaning as it is", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const json = escapeForDisplay(JSON.stringify([text, "é漢😀"]));
    assert.deepEqual(JSON.parse(json), [text, "é漢😀"]);
    assert.doesNotMatch(json, /[\p{Cc}\p{Zl}\p{Zp}]/u);
  }));
});
