import assert from "node:assert/strict";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { SallyportError } from "../../shared/errors.ts";
import { OwnPorts } from "../../shared/egress/rules/own_ports.ts";
import { createTargetPolicy, type TargetPolicyOptions } from "./target_policy.ts";

function decision(address: string, options: TargetPolicyOptions = {}, port = 443, host = address): string {
  const { allowed, rule } = createTargetPolicy(options).judge(host, address, port);
  return `${allowed ? "yes" : "no"}: ${rule}`;
}

const REFUSED = {
  "0.1.2.3": "unspecified",
  "10.1.2.3": "private",
  "172.16.0.1": "private",
  "192.168.1.5": "private",
  "100.64.0.1": "carrierGradeNat",
  "127.0.0.53": "loopback",
  "169.254.1.1": "linkLocal",
  "169.254.169.254": "metadata",
  "169.254.170.2": "metadata",
  "192.0.0.8": "reserved",
  "192.0.2.1": "reserved",
  "198.18.0.1": "reserved",
  "198.51.100.1": "reserved",
  "203.0.113.1": "reserved",
  "224.0.0.1": "multicast",
  "240.0.0.1": "reserved",
  "255.255.255.255": "broadcast",
  "::": "unspecified",
  "::1": "loopback",
  "fe80::1": "linkLocal",
  "fe80::1%eth0": "linkLocal",
  "fec0::1": "deprecatedSiteLocal",
  "fc00::1": "uniqueLocal",
  "fd00:ec2::254": "metadata",
  "ff02::1": "multicast",
  "2001:db8::1": "reserved",
  "3fff::1": "reserved",
  "4000::1": "reserved",
  "100::1": "discard",
  "64:ff9b:1::808:808": "rfc8215",
};

Deno.test("policy refuses every address that is not public", () => {
  for (const [address, range] of Object.entries(REFUSED)) {
    assert.equal(decision(address), `no: default ${range}`, address);
  }
});

Deno.test("policy allows public addresses", () => {
  const addresses = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"];
  for (const address of addresses) assert.equal(decision(address), "yes: default public", address);
});

Deno.test("policy checks the IPv4 address inside IPv6 forms", () => {
  const forms = (hex: string, dotted: string) => [
    `::ffff:${dotted}`, // mapped
    `::ffff:${hex}`,
    `::${hex}`, // compatible
    `::ffff:0:${hex}`, // translated
    `64:ff9b::${hex}`, // NAT64
    `2002:${hex}::1`, // 6to4
    `2001:0:${hex}::f7f7:f7f7`, // Teredo, by its server
  ];
  for (const address of forms("a9fe:a9fe", "169.254.169.254")) {
    assert.equal(decision(address), "no: default metadata", address);
  }
  for (const address of forms("a00:1", "10.0.0.1")) {
    assert.match(decision(address), /^no: default (\S+ )?private$/, address);
  }
  for (const address of forms("808:808", "8.8.8.8")) {
    assert.equal(decision(address), "yes: default public", address);
  }
});

Deno.test("policy checks the IPv4 address at the end of an ISATAP address, under any prefix", () => {
  for (const form of ["2600::5efe:a00:1", "2600:1:2:3:200:5efe:10.0.0.1"]) {
    assert.match(decision(form), /^no: .*private$/, form);
  }
  assert.equal(decision("2600::200:5efe:808:808"), "yes: default public");
});

Deno.test("policy checks the client inside a Teredo address", () => {
  assert.match(decision("2001:0:808:808::f5ff:fffe"), /^no: .*private$/); // 10.0.0.1, inverted
});

Deno.test("policy allows the target of an entry, at that port only", () => {
  const allow = ["10.0.0.0/8", "127.0.0.1:9080", "[::1]:9080", "192.168.1.5", "fd00::/8", "[fe80::/10]:80"];
  assert.equal(decision("10.9.9.9", { allow }), "yes: allow 10.0.0.0/8");
  assert.equal(decision("::ffff:10.9.9.9", { allow }), "yes: allow 10.0.0.0/8");
  assert.equal(decision("127.0.0.1", { allow }, 9080), "yes: allow 127.0.0.1:9080");
  assert.equal(decision("127.0.0.1", { allow }, 9081), "no: default loopback");
  assert.equal(decision("::1", { allow }, 9080), "yes: allow [::1]:9080");
  assert.equal(decision("::1", { allow }, 80), "no: default loopback");
  assert.equal(decision("192.168.1.5", { allow }), "yes: allow 192.168.1.5");
  assert.equal(decision("192.168.1.6", { allow }), "no: default private");
  assert.equal(decision("fd12::1", { allow }), "yes: allow fd00::/8");
  assert.equal(decision("fe80::1", { allow }, 80), "yes: allow [fe80::/10]:80");
});

Deno.test("policy does not extend an allowed IPv4 range to its translated forms", () => {
  assert.equal(decision("64:ff9b::a00:1", { allow: ["10.0.0.0/8"] }), "no: default rfc6052 private");
  assert.match(decision("64:ff9b::a00:1", { allow: ["64:ff9b::/96"] }), /^yes/);
});

Deno.test("policy allows the addresses of an allowed name", () => {
  const allow = ["*.corp.example:443", "example.com"];
  const of = (host: string, port = 443) => decision("10.0.0.1", { allow }, port, host);
  assert.equal(of("a.b.corp.example"), "yes: allow *.corp.example:443");
  assert.equal(of("A.Corp.EXAMPLE."), "yes: allow *.corp.example:443");
  assert.equal(of("a.corp.example", 80), "no: default private");
  assert.equal(of("corp.example"), "no: default private");
  assert.equal(of("notcorp.example"), "no: default private");
  assert.equal(of("example.com", 1), "yes: allow example.com");
  assert.equal(of("www.example.com"), "no: default private");
});

Deno.test("policy opens a metadata service only by its address, not by a name or a range", () => {
  const allow = ["evil.example", "169.254.0.0/16", "0.0.0.0/0", "fd00::/8", "::/0"];
  for (const address of ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "64:ff9b::a9fe:a9fe"]) {
    assert.equal(decision(address, { allow }, 80, "evil.example"), "no: default metadata", address);
    assert.match(decision(address, { allow: [address] }, 80), /^yes/, address);
  }
});

Deno.test("policy refuses the names of metadata services before they are resolved", () => {
  const judge = (host: string, allow: string[] = []) => createTargetPolicy({ allow }).judgeName(host, 80);
  for (const host of ["metadata.google.internal", "METADATA.google.internal.", "metadata.goog"]) {
    assert.equal(judge(host).rule, "default metadata", host);
  }
  assert.equal(judge("metadata.goog", ["metadata.goog"]).allowed, true);
  assert.equal(judge("metadata.example").allowed, true);
});

Deno.test("policy never opens the server's own ports", () => {
  const ownPorts = new OwnPorts();
  ownPorts.add(8443);
  const allow = ["127.0.0.0/8", "::/0", "0.0.0.0/8", "localhost"];
  for (
    const address of ["127.0.0.1", "127.9.9.9", "0.0.0.0", "::", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
  ) {
    assert.equal(decision(address, { allow, ownPorts }, 8443), "no: own port", address);
    assert.match(decision(address, { allow, ownPorts }, 8444), /^yes/, address);
  }
  assert.equal(decision("127.0.0.1", { allow, ownPorts }, 8443, "localhost"), "no: own port");
  assert.match(decision("10.0.0.1", { allow: ["10.0.0.0/8"], ownPorts }, 8443), /^yes/);
});

Deno.test("policy opens the server's own addresses only by entries of allow, and its own ports never", () => {
  const ownPorts = new OwnPorts();
  ownPorts.add(8443);
  const ruleOf = (allow: string[], address = "8.8.8.8", port = 80, host = "a.example") =>
    createTargetPolicy({ allow, ownPorts }).judgeOwn(host, address, port).rule;
  assert.equal(ruleOf([]), "own address");
  assert.equal(ruleOf(["1.1.1.1", "b.example", "8.8.8.8:81"]), "own address");
  assert.equal(ruleOf(["8.8.8.8"]), "allow 8.8.8.8");
  assert.equal(ruleOf(["8.8.8.8"], "::ffff:8.8.8.8"), "allow 8.8.8.8");
  assert.equal(ruleOf(["*.example:80"]), "allow *.example:80");
  assert.equal(ruleOf(["127.0.0.0/8"], "127.0.0.1"), "allow 127.0.0.0/8");
  assert.equal(ruleOf(["0.0.0.0/0", "*.example"], "8.8.8.8", 8443), "own port");
});

Deno.test("policy prefers deny over allow, for names, addresses and embedded addresses", () => {
  const options = { allow: ["10.0.0.0/8", "x.example"], deny: ["10.1.0.0/16", "*.x.example", "8.8.8.8"] };
  assert.equal(decision("10.1.2.3", options), "no: deny 10.1.0.0/16");
  assert.match(decision("10.2.2.3", options), /^yes/);
  assert.equal(decision("10.1.2.3", options, 443, "x.example"), "no: deny 10.1.0.0/16");
  assert.equal(decision("1.1.1.1", options, 443, "y.x.example"), "no: deny *.x.example");
  for (const form of ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]) {
    assert.equal(decision(form, options), "no: deny 8.8.8.8", form);
  }
});

Deno.test("policy refuses a denied name before it is resolved", () => {
  const policy = createTargetPolicy({ deny: ["ads.example", "bücher.example:80"] });
  assert.equal(policy.judgeName("ADS.example.", 1).rule, "deny ads.example");
  assert.equal(policy.judgeName("xn--bcher-kva.example", 80).allowed, false);
  assert.equal(policy.judgeName("xn--bcher-kva.example", 81).allowed, true);
});

Deno.test("policy gives the client the kind of rule and nothing about the network", () => {
  const textOf = (options: TargetPolicyOptions) =>
    createTargetPolicy(options).judge("a.example", "10.0.0.1", 80).text;
  assert.equal(textOf({}), "private and other non-public addresses are refused by default");
  assert.equal(textOf({ deny: ["10.0.0.0/8"] }), "targets.deny on the server forbids it");
  assert.equal(textOf({ deny: ["a.example"] }), "targets.deny on the server forbids it");
});

Deno.test("policy refuses an address that cannot be read", () => {
  assert.equal(decision("not an address"), "no: default unreadable");
});

Deno.test("policy names the entry that cannot be read", () => {
  const wrong = [
    ...["", "10.0.0.0/33", "::1/129", "10.0.0.1:0", "10.0.0.1:65536", "[::1", "::1]:80", "[10.0.0.1]:80"],
    ...[
      "10.0.0",
      "300.1.1.1",
      "a b",
      "*",
      "*.",
      "http://x.example",
      "a.*.example",
      "x.example/8",
      "fe80::1%1",
    ],
  ];
  for (const entry of wrong) {
    assert.throws(() => createTargetPolicy({ deny: ["ok.example", entry] }), (error: unknown) => {
      assert.ok(error instanceof SallyportError, entry);
      assert.equal(error.code, "bad_request");
      assert.ok(error.message.startsWith("Cannot read targets.deny[1]: current value is "), error.message);
      return true;
    }, entry);
  }
});

Deno.test("policy refuses every IPv6 form of every refused IPv4 address, whatever the other bits", () => {
  const policy = createTargetPolicy();
  const [low, high] = [fc.nat(0xffff), fc.nat(0xffff)];
  const forms: ((a: number, b: number, x: number, y: number) => number[])[] = [
    (a, b) => [0, 0, 0, 0, 0, 0xffff, a, b], // mapped
    (a, b) => [0, 0, 0, 0, 0, 0, a, b], // compatible
    (a, b) => [0, 0, 0, 0, 0xffff, 0, a, b], // translated
    (a, b) => [0x64, 0xff9b, 0, 0, 0, 0, a, b], // NAT64
    (a, b, x, y) => [0x64, 0xff9b, 1, x, y, x, a, b], // NAT64 of the local network
    (a, b, x, y) => [0x2002, a, b, x, y, x, y, x], // 6to4
    (a, b, x, y) => [0x2001, 0, a, b, x, y, x, y], // Teredo, by its server
    (a, b, x) => [0x2001, 0, 0x808, 0x808, x, x, a ^ 0xffff, b ^ 0xffff], // Teredo, by its client
    (a, b, x, y) => [0x2600 + (x & 0xff), y, x, y, x & 0x200, 0x5efe, a, b], // ISATAP
  ];
  fc.assert(
    fc.property(
      fc.tuple(low, high, fc.nat(0xffff), fc.nat(0xffff)),
      fc.constantFrom(...forms),
      (parts, form) => {
        const [a, b] = parts;
        const inner = [a >> 8, a & 0xff, b >> 8, b & 0xff].join(".");
        const outer = new ipaddr.IPv6(form(...parts)).toString();
        fc.pre(!policy.judge(inner, inner, 80).allowed);
        assert.equal(policy.judge(outer, outer, 80).allowed, false, `${outer} leads to ${inner}`);
      },
    ),
    { numRuns: 5_000 },
  );
});
