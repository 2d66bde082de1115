import assert from "node:assert/strict";
import { countOf } from "./count_of.ts";

Deno.test("a noun follows its number", () => {
  assert.deepEqual([0, 1, 2].map((count) => countOf(count, "stream")), [
    "0 streams",
    "1 stream",
    "2 streams",
  ]);
  assert.equal(countOf(2, "entry is", "entries are"), "2 entries are");
});
