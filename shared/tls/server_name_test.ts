import assert from "node:assert/strict";
import { carriesName, shownNames } from "./server_name.ts";

const dns = (...names: string[]) => ({ dns: names, addresses: [] });

Deno.test("carriesName finds a name whatever its case and its dot at the end", () => {
  assert.equal(carriesName(dns("other", "Sallyport-Server"), "sallyport-server"), true);
  assert.equal(carriesName(dns("a.example"), "A.Example."), true);
});

Deno.test("carriesName finds no name that is merely alike", () => {
  assert.equal(carriesName(dns("sallyport-server"), "sallyport-server.example"), false);
  assert.equal(carriesName(dns("a.example, DNS:b.example"), "b.example"), false);
  assert.equal(carriesName(dns(), "a.example"), false);
});

Deno.test("carriesName lets a star stand for one whole first label", () => {
  assert.equal(carriesName(dns("*.example.org"), "a.example.org"), true);
  assert.equal(carriesName(dns("*.example.org"), "a.b.example.org"), false);
  assert.equal(carriesName(dns("*.example.org"), "example.org"), false);
  assert.equal(carriesName(dns("a*.example.org"), "ab.example.org"), false);
  assert.equal(carriesName(dns("*"), "host"), false);
});

Deno.test("carriesName finds an address among the addresses only", () => {
  const names = { dns: ["192.0.2.7"], addresses: ["c0000201", "20010db8000000000000000000000001"] };
  assert.equal(carriesName(names, "192.0.2.1"), true);
  assert.equal(carriesName(names, "2001:0db8:0::1"), true);
  assert.equal(carriesName(names, "192.0.2.7"), false);
  assert.equal(carriesName({ dns: ["*.0.2.1"], addresses: [] }, "192.0.2.1"), false);
});

Deno.test("shownNames lists all names", () => {
  const names = { dns: ["a", "b, c"], addresses: ["c0000201", "ff"] };
  assert.equal(shownNames(names), '"a", "b, c", "192.0.2.1", "ff"');
  assert.equal(shownNames(dns()), "no alternative name at all");
});
