import assert from "node:assert/strict";
import { SallyportError } from "../../../shared/errors.ts";
import { parseAuthority } from "./request_authority.ts";

Deno.test("parseAuthority reads names, IPv4 and bracketed IPv6 with any port", () => {
  const cases: [string, string, number][] = [
    ["example.org:443", "example.org", 443],
    ["EXAMPLE.org.:1", "EXAMPLE.org.", 1],
    ["under_score.test:65535", "under_score.test", 65_535],
    ["192.0.2.1:8443", "192.0.2.1", 8443],
    ["[2001:db8::1]:22", "2001:db8::1", 22],
    ["[::ffff:10.0.0.1]:080", "::ffff:10.0.0.1", 80],
  ];
  for (const [text, host, port] of cases) assert.deepEqual(parseAuthority(text), { host, port }, text);
});

Deno.test("parseAuthority uses the default only when there is no port", () => {
  assert.deepEqual(parseAuthority("a.test", 80), { host: "a.test", port: 80 });
  assert.deepEqual(parseAuthority("a.test:", 80), { host: "a.test", port: 80 });
  assert.deepEqual(parseAuthority("[::1]", 80), { host: "::1", port: 80 });
  assert.deepEqual(parseAuthority("a.test:8080", 80), { host: "a.test", port: 8080 });
});

Deno.test("parseAuthority rejects what is not a target", () => {
  const bad = [
    "",
    ":80",
    "a.test",
    "a.test:",
    "a.test:0",
    "a.test:65536",
    "a.test:+80",
    "a.test:8o",
    "a.test:80:80",
    "::1:80",
    "[::1:80",
    "[::1]80",
    "[::1]",
    "[a.test]:80",
    "[fe80::1%25eth0]:80",
    "user@a.test:80",
    "a b:80",
    "a/b:80",
    "ä.test:80",
    `${"a".repeat(255)}:80`,
  ];
  for (const text of bad) {
    assert.throws(
      () => parseAuthority(text),
      (error) => error instanceof SallyportError && error.code === "bad_request",
      text,
    );
  }
});
