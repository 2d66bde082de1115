import assert from "node:assert/strict";
import { Routes } from "./routes.ts";

/** The route of a request, with the entry that blocks it. */
function way(lists: { bypass?: string[]; block?: string[] }, host: string, port = 80): string {
  const route = new Routes({ bypass: [], block: [], ...lists }).of(host, port);
  return route.to === "nowhere" ? `nowhere: ${route.rule.key} ${route.rule.text}` : route.to;
}

Deno.test("routes lead through the tunnel by default", () => {
  assert.equal(way({}, "example.org"), "tunnel");
  assert.equal(way({}, "a..b"), "tunnel", "without rules the server judges what a host is");
  const lists = { bypass: ["*.corp.example", "10.0.0.0/8"], block: ["ads.example"] };
  assert.equal(way(lists, "example.org"), "tunnel");
  assert.equal(way(lists, "wiki.corp.example"), "direct");
  assert.equal(way(lists, "corp.example"), "tunnel", "not that name itself");
  assert.equal(way(lists, "10.1.2.3"), "direct");
  assert.equal(way(lists, "ads.example"), "nowhere: block[0] ads.example");
});

Deno.test("routes compare the port if an entry has one", () => {
  const lists = { bypass: ["127.0.0.1:9080", "[::1]:9080", "wiki.example:443"], block: [] };
  for (
    const [host, port, expected] of [
      ["127.0.0.1", 9080, "direct"],
      ["127.0.0.1", 80, "tunnel"],
      ["::1", 9080, "direct"],
      ["wiki.example", 443, "direct"],
      ["wiki.example", 80, "tunnel"],
    ] as const
  ) assert.equal(way(lists, host, port), expected, `${host} ${port}`);
});

Deno.test("block wins over bypass, by name and by address", () => {
  const lists = { bypass: ["*.corp.example", "10.0.0.0/8"], block: ["pay.corp.example", "10.9.0.0/16"] };
  assert.equal(way(lists, "pay.corp.example"), "nowhere: block[0] pay.corp.example");
  assert.equal(way(lists, "10.9.1.1"), "nowhere: block[1] 10.9.0.0/16");
  assert.equal(way(lists, "10.8.1.1"), "direct");
});

Deno.test("no spelling of a host evades block", () => {
  const block = ["ads.example", "bücher.example", "127.0.0.1", "10.0.0.0/8", "fd00::/8"];
  for (
    const host of [
      ...[
        "ADS.Example",
        "ads.example.",
        "AdS.eXaMpLe.",
        "ａｄｓ.example",
        "xn--bcher-kva.example",
        "BÜCHER.example",
      ],
      ...[
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "::ffff:127.0.0.1",
      ],
      ...[
        "::ffff:7f00:1",
        "0:0:0:0:0:FFFF:7F00:0001",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "①２7.1",
      ],
      ...["10.255.255.255", "167772161", "012.1", "FD00::1", "fdff:0:0::1"],
    ]
  ) assert.match(way({ block }, host), /^nowhere/, host);
  for (const host of ["ads.example.org", "xads.example", "127.0.0.2", "11.0.0.1", "fe00::1"]) {
    assert.equal(way({ block }, host), "tunnel", host);
  }
});

Deno.test("bypass does not match embedded addresses", () => {
  assert.equal(way({ bypass: ["10.0.0.0/8"] }, "64:ff9b::a00:1"), "tunnel");
  assert.equal(way({ bypass: ["10.0.0.0/8"] }, "::ffff:10.0.0.1"), "direct", "that is the same address");
});

Deno.test("an invalid host is refused if there are rules", () => {
  for (const host of ["a..b", "fe80::1%eth0", "127.0.0.1.5", "a b", "", "0x"]) {
    assert.throws(() => way({ block: ["ads.example"] }, host), { code: "bad_request" }, JSON.stringify(host));
  }
});

Deno.test("routes name an invalid entry", () => {
  assert.throws(() => new Routes({ bypass: ["10.0.0.0/8", "http://a/"], block: [] }), {
    message: /bypass\[1\]/,
  });
  assert.throws(() => new Routes({ bypass: [], block: ["10.0.0.0/33"] }), { message: /block\[0\]/ });
});
