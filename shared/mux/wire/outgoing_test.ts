import assert from "node:assert/strict";
import { checkOutgoing } from "./outgoing.ts";

const target = { host: "a", port: 1 };

function assertRefused(act: () => void, message: RegExp): void {
  assert.throws(act, { name: "SallyportError", code: "bad_request", message });
}

Deno.test("outgoing message that keeps to SPEC 4.2 is accepted", () => {
  checkOutgoing(undefined, undefined);
  checkOutgoing({ type: "connect_request", payload: target }, ["x", "y"]);
  checkOutgoing(
    { type: "http_response", payload: { status: 200, reason: "OK", headers: ["a", "b"] } },
    undefined,
  );
});

Deno.test("outgoing message that the peer would refuse is refused with the name of the member", () => {
  assertRefused(
    () => checkOutgoing({ type: "connect_request", payload: { host: "a", port: 0 } }, undefined),
    /^Cannot send connect_request\.port: 0 is not in 1\.\.65535$/,
  );
  assertRefused(
    () =>
      checkOutgoing(
        { type: "http_response", payload: { status: 200, reason: "x".repeat(1_025), headers: [] } },
        undefined,
      ),
    /^Cannot send http_response\.reason: length 1025 is not in 0\.\.1024$/,
  );
  assertRefused(() => checkOutgoing(undefined, ["odd"]), /^Cannot send trailers: /);
  assertRefused(() => checkOutgoing(undefined, ["T", "1\r\nX: 2"]), /^Cannot send trailers\[1\]: /);
  assertRefused(
    () => checkOutgoing({ type: "connect_request", payload: { host: "a\r\nb", port: 1 } }, undefined),
    /^Cannot send connect_request\.host: expected a host name or an address$/,
  );
});

Deno.test("outgoing message that fills a frame's JSON is accepted, a longer one is refused (SPEC 2.2)", () => {
  const message = (length: number) => ({
    type: "http_response" as const,
    payload: { status: 200, reason: "", headers: ["a", "x".repeat(length)] },
  });
  checkOutgoing(message(261_900), undefined);
  assertRefused(() => checkOutgoing(message(262_144), undefined), /bytes exceed 262144$/);
  // Two bytes of UTF-8 for each of these characters.
  assertRefused(() => checkOutgoing(message(0), ["t", "\u00ff".repeat(140_000)]), /bytes exceed 262144$/);
});
