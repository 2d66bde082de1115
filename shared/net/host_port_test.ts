import assert from "node:assert/strict";
import { hostPort } from "./host_port.ts";

Deno.test("hostPort puts an IPv6 address in brackets", () => {
  assert.equal(hostPort("::1", 80), "[::1]:80");
  assert.equal(hostPort("a.test", 80), "a.test:80");
});
