import assert from "node:assert/strict";
import { readDer } from "./der.ts";
import { commonNameOf, comparableName } from "./distinguished_name.ts";

/** A name of one common name, whose text has this tag. */
function nameOf(tag: string, text: string) {
  const hex = new TextEncoder().encode(text).toHex();
  const size = (content: string) => (content.length / 2).toString(16).padStart(2, "0");
  const attribute = `0603550403${tag}${size(hex)}${hex}`;
  const pair = `30${size(attribute)}${attribute}`;
  const set = `31${size(pair)}${pair}`;
  return readDer(Uint8Array.fromHex(`30${size(set)}${set}`))[0];
}

const UTF8 = "0c";
const PRINTABLE = "13";

Deno.test("comparableName is the same for the same texts of different types, and for no others", () => {
  assert.equal(comparableName(nameOf(UTF8, "root")), comparableName(nameOf(PRINTABLE, "root")));
  assert.notEqual(comparableName(nameOf(UTF8, "root")), comparableName(nameOf(UTF8, "Root")));
  assert.notEqual(comparableName(nameOf(UTF8, "root")), comparableName(undefined));
});

Deno.test("commonNameOf reads a text as its type says", () => {
  assert.equal(commonNameOf(nameOf(UTF8, "Jörg")), "Jörg");
  assert.equal(commonNameOf(nameOf(PRINTABLE, "root")), "root");
  assert.equal(commonNameOf(undefined), "");
});
