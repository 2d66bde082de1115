import assert from "node:assert/strict";
import { requestHeaders, upgradeHeaders } from "./request_headers.ts";

Deno.test("requestHeaders replaces Host with the URL's authority", () => {
  assert.deepEqual(
    requestHeaders(["Accept", "*/*", "hOsT", "evil.test", "X", "1", "Host", "b"], "a.test:81"),
    ["Accept", "*/*", "hOsT", "a.test:81", "X", "1"],
  );
  assert.deepEqual(requestHeaders(["X", "1"], "a.test"), ["Host", "a.test", "X", "1"]);
});

Deno.test("requestHeaders removes hop-by-hop fields and those that Connection names", () => {
  const raw = ["Host", "a", "Proxy-Connection", "keep-alive", "Proxy-Authorization", "Basic x"];
  const named = ["Connection", "close, X-Secret", "x-secret", "1", "Keep-Alive", "timeout=5", "Cookie", "c"];
  assert.deepEqual(requestHeaders([...raw, ...named], "a"), ["Host", "a", "Cookie", "c"]);
});

Deno.test("requestHeaders drops a length that comes with chunked coding", () => {
  const raw = ["Host", "a", "Content-Length", "5", "Transfer-Encoding", "chunked"];
  assert.deepEqual(requestHeaders(raw, "a"), ["Host", "a"]);
  assert.deepEqual(requestHeaders(["Host", "a", "Content-Length", "5"], "a"), [
    "Host",
    "a",
    "Content-Length",
    "5",
  ]);
});

Deno.test("upgradeHeaders keeps the upgrade fields for the origin", () => {
  const raw = ["Host", "b", "Connection", "Upgrade", "Upgrade", "websocket", "Proxy-Connection", "x"];
  assert.deepEqual(upgradeHeaders([...raw, "Sec-WebSocket-Key", "k"], "a"), [
    "Host",
    "a",
    "Connection",
    "Upgrade",
    "Upgrade",
    "websocket",
    "Sec-WebSocket-Key",
    "k",
  ]);
});
