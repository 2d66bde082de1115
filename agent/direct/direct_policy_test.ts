import assert from "node:assert/strict";
import { OwnPorts } from "../../shared/egress/rules/own_ports.ts";
import { RuleList } from "../../shared/egress/rules/rule_list.ts";
import { parseAddress } from "../../shared/egress/rules/address.ts";
import { createDirectPolicy } from "./direct_policy.ts";

const ownPorts = new OwnPorts();
ownPorts.add(8080);
const block = new RuleList(["10.9.0.0/16"], "block");
const policy = createDirectPolicy({
  ownPorts,
  blockOf: (address, port) => block.byAddress([parseAddress(address)], port),
});

Deno.test("direct policy allows private, loopback and metadata addresses", () => {
  for (const address of ["10.0.0.1", "127.0.0.1", "::1", "fd00::1", "169.254.169.254", "8.8.8.8"]) {
    assert.equal(policy.judge("wiki.example", address, 80).allowed, true, address);
  }
});

Deno.test("direct policy refuses addresses in block, whatever the name", () => {
  const { allowed, text } = policy.judge("wiki.example", "10.9.1.1", 80);
  assert.deepEqual([allowed, text], [false, "block[0] (10.9.0.0/16) of the agent forbids an address of it"]);
});

Deno.test("direct policy refuses the agent's own ports, also at other addresses of the machine", () => {
  for (const address of ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"]) {
    assert.equal(policy.judge("wiki.example", address, 8080).rule, "own port", address);
  }
  assert.equal(policy.judge("wiki.example", "192.0.2.7", 8080).allowed, true, "it may be another machine");
  assert.equal(policy.judgeOwn("wiki.example", "192.0.2.7", 8080).rule, "own port");
  assert.equal(
    policy.judgeOwn("wiki.example", "192.0.2.7", 8081).allowed,
    true,
    "it is for programs of this machine",
  );
});
