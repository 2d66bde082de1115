import assert from "node:assert/strict";
import { Checker, Pattern } from "./pattern.ts";

/** All bytes of a pattern in pieces of `length`. */
function cut(pattern: Pattern, length: number): Uint8Array[] {
  const all = new Uint8Array(pattern.size);
  let at = 0;
  for (const part of pattern) {
    all.set(part, at);
    at += part.byteLength;
  }
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < all.byteLength; from += length) pieces.push(all.subarray(from, from + length));
  return pieces;
}

Deno.test("Checker accepts a complete transfer, however it is split", () => {
  const checker = new Checker(new Pattern(3));
  for (const piece of cut(new Pattern(3), 50_001)) checker.take(piece);
  assert.ok(checker.complete);
  checker.ended();
});

Deno.test("Checker detects bytes that are lost, doubled, reordered, missing at the end or too many", () => {
  const pieces = cut(new Pattern(3), 32_768);
  const wrong = {
    lost: pieces.toSpliced(2, 1),
    doubled: pieces.toSpliced(2, 0, pieces[2]!),
    reordered: [pieces[2]!, pieces[3]!, pieces[0]!, pieces[1]!, ...pieces.slice(4)],
    short: pieces.slice(0, 4),
    long: [...pieces, pieces[0]!],
  };
  for (const [what, bytes] of Object.entries(wrong)) {
    const checker = new Checker(new Pattern(3));
    assert.throws(
      () => {
        for (const piece of bytes) checker.take(piece);
        checker.ended();
      },
      assert.AssertionError,
      what,
    );
  }
});
