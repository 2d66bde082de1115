import assert from "node:assert/strict";
import { dialableHost, hostPort } from "./host_port.ts";

Deno.test("hostPort puts an IPv6 address in brackets", () => {
  assert.equal(hostPort("::1", 80), "[::1]:80");
  assert.equal(hostPort("a.test", 80), "a.test:80");
});

Deno.test("dialableHost is loopback for what listens on all addresses, and else the host itself", () => {
  assert.deepEqual(["0.0.0.0", "::", "192.0.2.1", "fd00::1"].map(dialableHost), [
    "127.0.0.1",
    "::1",
    "192.0.2.1",
    "fd00::1",
  ]);
});
