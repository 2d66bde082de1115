import assert from "node:assert/strict";
import { isLoopback } from "./loopback.ts";

Deno.test("isLoopback knows the addresses that only this machine reaches", () => {
  for (const address of ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(isLoopback(address), true, address);
  }
  for (
    const address of [
      "0.0.0.0",
      "::",
      "192.168.0.1",
      "::ffff:10.0.0.1",
      "fe80::1",
      "128.0.0.1",
      "",
      "localhost",
    ]
  ) {
    assert.equal(isLoopback(address), false, address);
  }
});
