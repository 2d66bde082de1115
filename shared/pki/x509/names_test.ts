import assert from "node:assert/strict";
import { readDer } from "./der.ts";
import { commonNameOf, comparableName, listNames, matchesServerName } from "./names.ts";

/** A name of one common name, whose text has this tag. */
function nameOf(tag: string, text: string | Uint8Array) {
  const hex = (typeof text === "string" ? new TextEncoder().encode(text) : text).toHex();
  const size = (content: string) => (content.length / 2).toString(16).padStart(2, "0");
  const attribute = `0603550403${tag}${size(hex)}${hex}`;
  const pair = `30${size(attribute)}${attribute}`;
  const set = `31${size(pair)}${pair}`;
  return readDer(Uint8Array.fromHex(`30${size(set)}${set}`))[0];
}

const UTF8 = "0c";
const PRINTABLE = "13";

Deno.test("comparableName ignores string types only", () => {
  assert.equal(comparableName(nameOf(UTF8, "root")), comparableName(nameOf(PRINTABLE, "root")));
  assert.notEqual(comparableName(nameOf(UTF8, "root")), comparableName(nameOf(UTF8, "Root")));
  assert.notEqual(comparableName(nameOf(UTF8, "root")), comparableName(undefined));
});

Deno.test("commonNameOf decodes a string by its type", () => {
  assert.equal(commonNameOf(nameOf(UTF8, "Jörg")), "Jörg");
  assert.equal(commonNameOf(nameOf(PRINTABLE, "root")), "root");
  assert.equal(commonNameOf(undefined), "");
});

/** TeletexString, which is read as ISO 8859-1. */
const TELETEX = "14";

Deno.test("commonNameOf decodes the bytes 0x80 to 0x9f as ISO 8859-1, not as windows-1252", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index);
  const characters = String.fromCharCode(...bytes);
  assert.equal(commonNameOf(nameOf(TELETEX, bytes)), characters);
});

const dns = (...names: string[]) => ({ dns: names, addresses: [] });

Deno.test("matchesServerName ignores case and a trailing dot", () => {
  assert.equal(matchesServerName(dns("other", "Sallyport-Server"), "sallyport-server"), true);
  assert.equal(matchesServerName(dns("a.example"), "A.Example."), true);
});

Deno.test("matchesServerName refuses a name that is only similar", () => {
  assert.equal(matchesServerName(dns("sallyport-server"), "sallyport-server.example"), false);
  assert.equal(matchesServerName(dns("a.example, DNS:b.example"), "b.example"), false);
  assert.equal(matchesServerName(dns(), "a.example"), false);
});

Deno.test("matchesServerName takes a star for one whole first label", () => {
  assert.equal(matchesServerName(dns("*.example.org"), "a.example.org"), true);
  assert.equal(matchesServerName(dns("*.example.org"), "a.b.example.org"), false);
  assert.equal(matchesServerName(dns("*.example.org"), "example.org"), false);
  assert.equal(matchesServerName(dns("a*.example.org"), "ab.example.org"), false);
  assert.equal(matchesServerName(dns("*"), "host"), false);
});

Deno.test("matchesServerName finds an address only among the addresses", () => {
  const names = { dns: ["192.0.2.7"], addresses: ["c0000201", "20010db8000000000000000000000001"] };
  assert.equal(matchesServerName(names, "192.0.2.1"), true);
  assert.equal(matchesServerName(names, "2001:0db8:0::1"), true);
  assert.equal(matchesServerName(names, "192.0.2.7"), false);
  assert.equal(matchesServerName({ dns: ["*.0.2.1"], addresses: [] }, "192.0.2.1"), false);
});

Deno.test("listNames lists all names", () => {
  const names = { dns: ["a", "b, c"], addresses: ["c0000201", "ff"] };
  assert.equal(listNames(names), '"a", "b, c", "192.0.2.1", "ff"');
  assert.equal(listNames(dns()), "no alternative name");
});
