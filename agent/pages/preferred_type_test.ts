import assert from "node:assert/strict";
import { preferredType } from "./preferred_type.ts";

const ROWS: readonly [accept: string | undefined, type: string][] = [
  [undefined, "text/plain"],
  ["*/*", "text/plain"],
  ["", "text/plain"],
  ["text/*", "text/plain"],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"],
  ["application/json", "application/json"],
  ["application/json, text/plain, */*", "application/json"],
  ["Application/JSON; charset=utf-8", "application/json"],
  ["text/html;q=0.5, application/json", "application/json"],
  ["text/html;q=0.5, text/plain", "text/plain"],
  ["text/html;q=0", "text/plain"],
  ["image/png", "text/plain"],
  ["text/html;level=1;q=0.4, application/json;q=0.3", "text/html"],
];
for (const [accept, type] of ROWS) {
  Deno.test(`preferredType of ${accept ?? "no Accept field"} is ${type}`, () => {
    assert.equal(preferredType(accept), type);
  });
}
