import assert from "node:assert/strict";
import { addressBlock, isLoopback } from "./ip_address.ts";

Deno.test("address block is an IPv4 address or the /64 of an IPv6 address", () => {
  const blocks: Record<string, string> = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2::1": "2001:db8:1:2::/64",
    "fe80::1%eth0": "fe80::/64",
    "unknown": "unknown",
  };
  for (const [remote, block] of Object.entries(blocks)) assert.equal(addressBlock(remote), block, remote);
});

Deno.test("isLoopback recognizes loopback addresses in any form", () => {
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
