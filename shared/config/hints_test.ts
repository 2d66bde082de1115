import assert from "node:assert/strict";
import { booleanHint } from "./hints.ts";

Deno.test("booleanHint recognises other words for true and false", () => {
  assert.equal(booleanHint(" Yes"), "write true, without quotes");
  assert.equal(booleanHint(0), "write false, without quotes");
});

Deno.test("booleanHint does not confuse inherited object members with words", () => {
  assert.equal(booleanHint("constructor"), undefined);
  assert.equal(booleanHint("__proto__"), undefined);
});
