import assert from "node:assert/strict";
import fc from "fast-check";
import { asciiJson, hasHidden, printable, printableJson, quote, truncate } from "./sanitize.ts";

/** Controls, marks of direction, separators, what has no width, tags, and half a pair. */
const HIDDEN = [
  ...["\0", "\x07", "\n", "\x1b", "\x7f", "\x80", "\x85", "\x9b", "\u00ad", "\u061c", "\u200b", "\u200e"],
  ...["\u2028", "\u2029", "\u202e", "\u2066", "\u2069", "\ufeff", "\ufff9", "\u{e0001}", "\ud800", "\ue000"],
];
const VISIBLE = ["CN=Müller, O=日本", "a \\ b", "🙂", "é漢😀", ""];
const anything = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...HIDDEN, ...VISIBLE));

Deno.test("printable shows what could steer a terminal as its code point", () => {
  assert.equal(
    printable("a\x1b]0;title\x07\nb\x9b2J\u202e\u2028\u{e0001}"),
    "a\\u{1b}]0;title\\u{7}\\u{a}b\\u{9b}2J\\u{202e}\\u{2028}\\u{e0001}",
  );
});

Deno.test("sanitizer leaves ordinary text unchanged", () => {
  for (const text of VISIBLE) {
    assert.deepEqual([printable(text), printableJson(text), hasHidden(text)], [text, text, false]);
  }
});

for (const character of HIDDEN) {
  const name = character.codePointAt(0)!.toString(16).padStart(4, "0");
  Deno.test(`U+${name} is hidden and appears in no sanitised text`, () => {
    const json = JSON.stringify(`a${character}b`);
    assert(hasHidden(`a${character}b`));
    for (const text of [printable(json), printableJson(json), asciiJson(json), quote(character)]) {
      assert(!hasHidden(text), text);
    }
  });
}

Deno.test("printableJson and asciiJson leave JSON's meaning as it is", () => {
  fc.assert(fc.property(anything, anything, (key, text) => {
    const value = { [key]: [text, "é漢😀"] };
    const json = printableJson(JSON.stringify(value));
    assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
    assert.doesNotMatch(json, /[\p{C}\p{Zl}\p{Zp}]/u);
    const ascii = asciiJson(JSON.stringify(value));
    assert.deepEqual(JSON.parse(ascii), JSON.parse(json));
    assert.match(ascii, /^[\x20-\x7e]*$/);
  }));
});

Deno.test("printableJson leaves the white space between values", () => {
  assert.equal(printableJson('{\n\t"a": "\u202e"\r\n}\n'), '{\n\t"a": "\\u202e"\r\n}\n');
});

Deno.test("truncate says that it cut, and cuts no character in half", () => {
  assert.equal(truncate("abc", 3), "abc");
  assert.equal(truncate("abcd", 3), "abc…");
  assert.equal(truncate("ab😀d", 3), "ab…");
  assert.equal(truncate("a".repeat(81)), `${"a".repeat(80)}…`);
});

Deno.test("quote makes any text one part of a message", () => {
  assert.equal(quote('a "b"\r\n\x1b[2J\u202e'), '"a \\"b\\"\\r\\n\\u001b[2J\\u202e"');
  assert.equal(quote("abcd", 3), '"abc…"');
});
