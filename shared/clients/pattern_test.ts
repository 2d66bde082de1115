import assert from "node:assert/strict";
import fc from "fast-check";
import { type ClientNames, glob, parseClientPattern } from "./pattern.ts";

const cn = (commonName: string): ClientNames => ({ commonName, names: { dns: [], uris: [] } });
const dns = (...dns: string[]): ClientNames => ({ commonName: "", names: { dns, uris: [] } });
const uri = (...uris: string[]): ClientNames => ({ commonName: "", names: { dns: [], uris } });

function check(of: (name: string) => ClientNames, pattern: string, yes: string[], no: string[]): void {
  const { matches } = parseClientPattern(pattern);
  for (const name of yes) assert.equal(matches(of(name)), true, `${pattern} and ${JSON.stringify(name)}`);
  for (const name of no) assert.equal(matches(of(name)), false, `${pattern} but ${JSON.stringify(name)}`);
}

Deno.test("glob matches any number of characters with a star", () => {
  const cases: [string, string[], string[]][] = [
    ["a", ["a"], ["", "aa", "A"]],
    ["*", ["", "a", "a*b"], []],
    ["a*", ["a", "ab"], ["", "ba"]],
    ["*a", ["a", "ba"], ["ab"]],
    ["a*a", ["aa", "aba"], ["a", "ab"]],
    ["a*b*c", ["abc", "axbxc", "abbc"], ["ac", "acb", "abcd"]],
    ["ab*ba", ["abba", "abxba"], ["aba"]],
    ["*.x*", ["a.xb", ".x"], ["ax"]],
  ];
  for (const [pattern, yes, no] of cases) {
    for (const text of yes) assert.equal(glob(pattern)(text), true, `${pattern} and ${text}`);
    for (const text of no) assert.equal(glob(pattern)(text), false, `${pattern} but ${text}`);
  }
});

Deno.test("glob agrees with a regular expression of the same meaning", () => {
  const text = (letters: string, maxLength: number) =>
    fc.array(fc.constantFrom(...letters), { maxLength }).map((all) => all.join(""));
  fc.assert(
    fc.property(text("ab.*", 6), text("ab.", 8), (pattern, name) => {
      const meaning = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
      assert.equal(glob(pattern)(name), meaning.test(name), `${pattern} and ${name}`);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("client pattern cn: compares common names exactly, with stars", () => {
  check(cn, "cn:laptop-*", ["laptop-1", "laptop-", "laptop-a b.c"], ["Laptop-1", "my laptop-1", "laptop"]);
  check(cn, "cn:Build Runner", ["Build Runner"], ["Build  Runner", "build runner", "Build Runner "]);
  check(cn, "cn:Jörg*", ["Jörg", "Jörg S."], ["Jorg", "J\u006f\u0308rg"]);
  check(cn, "cn:*", ["a", "日本"], [""]);
  check(cn, "cn:a.c", ["a.c"], ["abc"]);
});

Deno.test("client pattern matches no name with hidden characters, not even with a star", () => {
  const odd = [
    "a\0b",
    "a\nb",
    "a\u007fb",
    "a\u0085b",
    "a\u2028b",
    "a\u202eb",
    "a\u200bb",
    "a\ufffdb",
    "a\ud800b",
  ];
  check(cn, "cn:*", [], odd);
  check(cn, "cn:a*b", ["axb"], odd);
  check(dns, "dns:*.a.example", ["x.a.example"], [
    "x\0.a.example",
    "x\n.a.example",
    "é.a.example",
    "\u212a.a.example",
  ]);
  check(uri, "uri:spiffe://a/**", ["spiffe://a/x"], [
    "spiffe://a/x\0",
    "spiffe://a/x\ny",
    "spiffe://a/é",
    "spiffe://a/x y",
  ]);
  check(dns, "dns:a.example", [], ["a.example\0.b.example", "a.example\n", " a.example"]);
});

Deno.test("client pattern dns: matches one label with a star, case-insensitive", () => {
  const no = [
    "dev.corp.example",
    "a.b.dev.corp.example",
    "*.dev.corp.example",
    ".dev.corp.example",
    "adev.corp.example",
  ];
  check(
    dns,
    "dns:*.dev.corp.example",
    ["a.dev.corp.example", "A.Dev.CORP.example.", "_a.dev.corp.example"],
    no,
  );
  check(dns, "dns:Host.example.", ["host.example", "HOST.EXAMPLE."], [
    "a.host.example",
    "host.example.evil.example",
  ]);
  assert.equal(parseClientPattern("dns:b.example").matches(dns("a.example", "b.example")), true);
});

Deno.test("client pattern uri: matches one segment with a star and the rest with two", () => {
  const ci = "spiffe://corp.example/ci";
  check(uri, "uri:spiffe://corp.example/ci/*", [`${ci}/a`, `${ci}/a:b@c`], [
    ...[ci, `${ci}/`, `${ci}/a/b`, `${ci}/..`, `${ci}/.`, `${ci}/a%2fb`, `${ci}/a?b`, `${ci}/a#b`, `${ci}/*`],
    ...["spiffe://corp.example.evil.example/ci/a", "spiffe://corp.example/CI/a", "https://corp.example/ci/a"],
    "spiffe://evil.example/x/spiffe://corp.example/ci/a",
  ]);
  check(uri, "uri:spiffe://corp.example/ci/**", [`${ci}/a`, `${ci}/a/b/c`], [
    ...[ci, `${ci}/`, `${ci}//a`, `${ci}/a/`, `${ci}/a/../b`, `${ci}/a/..`, `${ci}x/a`],
  ]);
  check(uri, "uri:spiffe://corp.example/*/run-*/x", ["spiffe://corp.example/a/run-1/x"], [
    ...[
      "spiffe://corp.example/a/run-1",
      "spiffe://corp.example/a/b/run-1/x",
      "spiffe://corp.example//run-1/x",
    ],
  ]);
  check(uri, "uri:urn:uuid:f81d4fae", ["urn:uuid:f81d4fae"], ["urn:uuid:F81D4FAE", "urn:uuid:f81d4fae0"]);
  check(uri, "uri:https://a/b%20c?d", ["https://a/b%20c?d"], ["https://a/b c?d"]);
});

Deno.test("client pattern matches names of its own kind only", () => {
  const all = { commonName: "a.example", names: { dns: ["b.example"], uris: ["https://c.example"] } };
  for (const text of ["cn:a.example", "dns:b.example", "uri:https://c.example"]) {
    assert.equal(parseClientPattern(text).matches(all), true, text);
  }
  for (const text of ["dns:a.example", "cn:b.example", "cn:https://c.example", "uri:a:b.example"]) {
    assert.equal(parseClientPattern(text).matches(all), false, text);
  }
});

Deno.test("client pattern refuses unsupported patterns", () => {
  const wrong = [
    ...["", "laptop", "cn:", "CN:a", "cn :a", "dns:", "uri:", "ip:192.0.2.1", "cn:a\nb", "cn:a\u200bb"],
    ...[
      "dns:*",
      "dns:a.*.example",
      "dns:a*.example",
      "dns:**.example",
      "dns:a b",
      "dns:é.example",
      "dns:a..b",
    ],
    ...["uri:a", "uri:*", "uri:spiffe://*/a", "uri:spiffe://*.example/a", "uri:*://a/b", "uri:spiffe:a/*"],
    ...[
      "uri:spiffe:///*",
      "uri:spiffe://a/**/b",
      "uri:spiffe://a/b**",
      "uri:spiffe://a/%2f*",
      "uri:spiffe://a/*?b",
    ],
    ...["uri:spiffe://a*", "uri:spiffe://a b/c", "uri:spiffe://é/*"],
  ];
  for (const text of wrong) {
    assert.throws(() => parseClientPattern(text), { code: "bad_request" }, JSON.stringify(text));
  }
});
