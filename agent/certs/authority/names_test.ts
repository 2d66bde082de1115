import assert from "node:assert/strict";
import { withReason } from "../../../tests/support/with_reason.ts";
import { isDnsName, isFileName, isUri, requireCommonName, requireSerial, serialOf } from "./names.ts";

Deno.test("isFileName refuses paths and hidden files", () => {
  for (const name of ["a", "laptop", "Jane.Doe", "jane@corp.example", "x+1", "9_-", "a".repeat(60)]) {
    assert.equal(isFileName(name), true, name);
  }
  const bad = [
    ...["", ".", "..", "...", ".hidden", "-x", "a/b", "../a", "/a", "a\\b", "a b", "a\nb", "a\0b", "ä"],
    ...["ca", "CA", "crl", "a".repeat(61), "a:b", "a*", "~", "\u202ea"],
  ];
  for (const name of bad) assert.equal(isFileName(name), false, JSON.stringify(name));
});

Deno.test("serialOf reads the common notations of a serial number", () => {
  for (const text of ["abcd", "ABCD", "AB:CD", "0xabcd", "00abcd", "00:ab:cd"]) {
    assert.equal(serialOf(text), "abcd", text);
  }
  assert.equal(serialOf("f"), "0f");
  assert.equal(serialOf("0"), "00");
  assert.equal(serialOf("f".repeat(40)), "f".repeat(40));
  for (const text of ["", "0x", "xyz", "ab cd", ":ab", "ab:", "ab::cd", "-1", "f".repeat(41), "ab\n"]) {
    assert.equal(serialOf(text), undefined, JSON.stringify(text));
  }
  assert.throws(
    () => requireSerial("xyz"),
    withReason("bad_request", /the serial number "xyz": expected 1 to 20 bytes/),
  );
});

Deno.test("isDnsName accepts DNS names and wildcards only", () => {
  for (
    const name of ["a", "a.example", "*.a.example", "xn--bcher-kva.example", "_x.a", `${"a".repeat(63)}.b`]
  ) {
    assert.equal(isDnsName(name), true, name);
  }
  const bad = ["", "*", "a.*.b", "*a.b", "a..b", "-a", "a-", "a b", "10.0.0.1", "::1", "ä.b", "a/b", "a.b."];
  for (const name of [...bad, `${"a".repeat(64)}.b`, "a.".repeat(127) + "a"]) {
    assert.equal(isDnsName(name), false, name);
  }
});

Deno.test("isUri accepts URIs with a scheme only", () => {
  for (const uri of ["spiffe://x/y", "https://a.example/?b#c", "urn:uuid:1"]) {
    assert.equal(isUri(uri), true, uri);
  }
  for (const uri of ["", "a", "//a/b", "a b:c", "urn:a b", "urn:a\nb", "urn:ä", "1a:b", "urn:"]) {
    assert.equal(isUri(uri), false, JSON.stringify(uri));
  }
});

for (const hidden of ["\u001b[31m", "\n", "\u009b", "\u202e", "\u200b"]) {
  Deno.test(`requireCommonName refuses ${JSON.stringify(hidden)}, and the error does not print it`, () => {
    assert.throws(() => requireCommonName(`a${hidden}b`), ({ message }: Error) => {
      assert.match(
        message,
        /common name "a\\u\{[0-9a-f]+\}.*b": expected no line breaks, escapes or other hidden/,
      );
      return !message.includes(hidden);
    });
  });
}
