import assert from "node:assert/strict";
import { addressBlock } from "./address_block.ts";

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
