import assert from "node:assert/strict";
import { type FailedRequest, mayRetry } from "./origin_retry.ts";

const reset = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });

/** A request that an origin lost by closing an idle connection. */
const stale: FailedRequest = {
  error: reset,
  method: "GET",
  wasReused: true,
  isRetry: false,
  isComplete: true,
  hasResponse: false,
};

Deno.test("a request lost on a reused connection may be retried", () => {
  assert(mayRetry(stale));
  assert(mayRetry({ ...stale, error: Object.assign(new Error(), { code: "EPIPE" }) }));
  for (const method of ["HEAD", "PUT", "DELETE", "OPTIONS", "PROPFIND"]) {
    assert(mayRetry({ ...stale, method }), method);
  }
});

const NEVER: Record<string, Partial<FailedRequest>> = {
  "on a new connection": { wasReused: false },
  "a second time": { isRetry: true },
  "with a body, or before its end": { isComplete: false },
  "after any response": { hasResponse: true },
  "with POST": { method: "POST" },
  "with PATCH": { method: "PATCH" },
  "with a method that it does not know": { method: "get" },
  "when the connection was refused": { error: Object.assign(new Error(), { code: "ECONNREFUSED" }) },
  "when the response was invalid": { error: Object.assign(new Error(), { code: "HPE_INVALID_CONSTANT" }) },
};
for (const [name, change] of Object.entries(NEVER)) {
  Deno.test(`a request is not retried ${name}`, () => assert(!mayRetry({ ...stale, ...change })));
}
