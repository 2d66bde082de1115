import assert from "node:assert/strict";
import { messageCost } from "./stream_memory.ts";

Deno.test("messageCost grows with the texts of a message", () => {
  const target = { host: "a", port: 1 };
  const plain = messageCost({ type: "connect_request", payload: target });
  const path = "/".padEnd(5_000, "x");
  const headers = ["name", "v".repeat(9_000)];
  const heavy = messageCost({ type: "http_request", payload: { ...target, method: "GET", path, headers } });
  assert.ok(plain > 0 && plain < 1_000, `${plain}`);
  assert.ok(heavy - plain >= 2 * 14_000, "the HTTP library keeps a copy");
});

Deno.test("messageCost counts what short fields cost in addition to their characters", () => {
  const headers = new Array<string>(60_000).fill("a");
  const target = { host: "a", port: 1, method: "GET", path: "/" };
  const weight = messageCost({ type: "http_request", payload: { ...target, headers } });
  assert.ok(weight >= 60_000 * 62, `${weight}; measured 3.7 MB`);
});
