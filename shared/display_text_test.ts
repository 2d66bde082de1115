import assert from "node:assert/strict";
import { printable } from "./display_text.ts";

Deno.test("what could steer a terminal is shown as its code point", () => {
  assert.equal(
    printable("a\x1b]0;title\x07\nb\x9b2J\u202e\u2028"),
    "a\\u{1b}]0;title\\u{7}\\u{a}b\\u{9b}2J\\u{202e}\\u{2028}",
  );
});

Deno.test("what people write stays as it is", () => {
  for (const text of ["CN=Müller, O=日本", "a \\ b", "🙂"]) assert.equal(printable(text), text);
});
