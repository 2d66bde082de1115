import assert from "node:assert/strict";
import fc from "fast-check";
import { endsInNumber, foldHostName, type HostNameRules, isHostName, normalHostName } from "./host_name.ts";

/** The rules of each place that reads host names. */
const PLACES = {
  client: {},
  config: { edgeHyphens: false },
  certificate: { edgeHyphens: false, finalDot: false, wildcard: true },
} satisfies Record<string, HostNameRules>;
type Place = keyof typeof PLACES;

const EVERYWHERE: readonly Place[] = ["client", "config", "certificate"];
const long = Array(127).fill("a").join(".");

const TABLE: [name: string, acceptedBy: readonly Place[]][] = [
  ["a", EVERYWHERE],
  ["EXAMPLE.org", EVERYWHERE],
  ["xn--bcher-kva.example", EVERYWHERE],
  ["_dmarc.a_b.example", EVERYWHERE],
  ["1.example", EVERYWHERE],
  ["192.0.2.1", EVERYWHERE],
  [`${"a".repeat(63)}.b`, EVERYWHERE],
  [long, EVERYWHERE],
  ["example.org.", ["client", "config"]],
  [`${long}.`, ["client", "config"]],
  ["-a.example", ["client"]],
  ["a-.example", ["client"]],
  ["*.example.org", ["certificate"]],
  ["*", []],
  ["a.*.b", []],
  ["*a.b", []],
  ["", []],
  [".", []],
  ["a..", []],
  [".a", []],
  ["a..b", []],
  ["a b", []],
  ["a\n", []],
  ["a/b", []],
  ["a:80", []],
  ["a%00b", []],
  ["::1", []],
  ["[::1]", []],
  ["ä.example", []],
  [`${"a".repeat(64)}.b`, []],
  [`${long}.a`, []],
];

for (const [name, acceptedBy] of TABLE) {
  Deno.test(`isHostName judges ${JSON.stringify(name.slice(0, 30))} by the rules of each place`, () => {
    assert.deepEqual(EVERYWHERE.filter((place) => isHostName(name, PLACES[place])), acceptedBy);
  });
}

Deno.test("host names are compared without case and final dot", () => {
  assert.equal(foldHostName("LocalHost."), "localhost");
  assert.equal(foldHostName("localhost"), "localhost");
});

Deno.test("normalHostName writes every name in one form, or refuses it", () => {
  const names: [string, string | undefined][] = [
    ["Example.ORG.", "example.org"],
    ["Bücher.example", "xn--bcher-kva.example"],
    ["ⓛocalhost", "localhost"],
    ["127。0。0。1", "127.0.0.1"],
    ["-a.example", "-a.example"],
    ["*.example.org", undefined],
    ["a..b", undefined],
    ["a\u0085b", undefined],
    ["é".repeat(64), undefined],
  ];
  for (const [text, name] of names) assert.equal(normalHostName(text), name, text);
});

Deno.test("normalHostName changes a normal name no further", () => {
  fc.assert(fc.property(fc.oneof(fc.domain(), fc.string({ unit: "binary" })), (text) => {
    const name = normalHostName(text);
    if (name !== undefined) assert.equal(normalHostName(name), name);
  }));
});

Deno.test("endsInNumber finds names that are an IPv4 address or invalid", () => {
  for (const name of ["127.1", "2130706433", "0x7f000001", "127.0.0.0x1", "a.0x", "1.2.3.4.5"]) {
    assert(endsInNumber(name), name);
  }
  for (const name of ["example.org", "1.example", "0x7g", "a1"]) assert(!endsInNumber(name), name);
});
