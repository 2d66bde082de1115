import assert from "node:assert/strict";
import { weightOf } from "./weight.ts";

Deno.test("weightOf grows with the texts of a message", () => {
  const target = { host: "a", port: 1 };
  const plain = weightOf({ type: "connect_request", payload: target });
  const path = "/".padEnd(5_000, "x");
  const headers = ["name", "v".repeat(9_000)];
  const heavy = weightOf({ type: "http_request", payload: { ...target, method: "GET", path, headers } });
  assert.ok(plain > 0 && plain < 1_000, `${plain}`);
  assert.ok(heavy - plain >= 14_000, `${heavy}`);
});
