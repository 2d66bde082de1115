import assert from "node:assert/strict";
import fc from "fast-check";
import { readHost } from "./host.ts";

Deno.test("readHost reads IPv4 addresses in every form that sockets accept", () => {
  const forms = [
    ...[
      "127.0.0.1",
      "127.0.0.1.",
      "127.1",
      "127.0.1",
      "2130706433",
      "2130706433.",
      "017700000001",
      "0x7f000001",
    ],
    ...[
      "0X7F.1",
      "0177.0.0.1",
      "0x7f.0x0.0x0.0x1",
      "127.0.0.0x1",
      "00000177.0.0.1",
      "１２７.0.0.1",
      "127。0。0。1",
    ],
    "::ffff:127.0.0.1",
  ];
  for (const form of forms) assert.deepEqual(readHost(form), { kind: "address", text: "127.0.0.1" }, form);
  assert.deepEqual(readHost("::FFFF:A00:1"), { kind: "address", text: "10.0.0.1" });
  assert.deepEqual(readHost("2001:DB8:0::1"), { kind: "address", text: "2001:db8::1" });
});

Deno.test("readHost normalizes names", () => {
  const cases = {
    "LocalHost.": "localhost",
    "ⓛocalhost": "localhost",
    "Bücher.example": "xn--bcher-kva.example",
  };
  for (
    const [host, text] of Object.entries({ ...cases, "1.example": "1.example", "0x7g": "0x7g", "a_b": "a_b" })
  ) {
    assert.deepEqual(readHost(host), { kind: "name", text }, host);
  }
});

Deno.test("readHost refuses anything else", () => {
  const bad = [
    ...[
      "",
      ".",
      "..",
      "a..b",
      ".a",
      "a..",
      "127.0.0.1..",
      "a b",
      " a",
      "a\t",
      "a\0b",
      "a\r\nb",
      "a\u0085b",
      "a%00b",
    ],
    ...[
      "%31%32%37.0.0.1",
      "a/b",
      "a:80",
      "a@b",
      "[::1]",
      "[[::1]]",
      "[127.0.0.1]",
      "::1%lo",
      "fe80::1%25eth0",
      "::1%",
    ],
    ...[
      "1.2.3.4.5",
      "256.0.0.1",
      "08.0.0.1",
      "4294967296",
      "1..2",
      "a.0x",
      "a.1",
      "0x7f.0.0.0.1",
      ":::1",
      "1::2::3",
    ],
    ...["x".repeat(64), `${"x".repeat(64)}.example`, Array(128).fill("a").join("."), "é".repeat(64)],
  ];
  for (const host of bad) assert.equal(readHost(host), undefined, JSON.stringify(host));
});

/** A number as one part of an IPv4 address, in one of its notations. */
const notations: ((part: number) => string)[] = [
  (part) => String(part),
  (part) => `0x${part.toString(16)}`,
  (part) => `0X${part.toString(16).toUpperCase()}`,
  (part) => `0${part.toString(8)}`,
  (part) => `000${part.toString(8)}`,
];

Deno.test("readHost reads any IPv4 address in any mix of notations, lengths and dots", () => {
  const notation = fc.constantFrom(...notations);
  fc.assert(
    fc.property(
      fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)),
      fc.integer({ min: 1, max: 4 }),
      fc.tuple(notation, notation, notation, notation),
      fc.constantFrom("", "."),
      (bytes, length, write, dot) => {
        // The last part stands for all remaining bytes.
        const last = bytes.slice(length - 1).reduce((sum, byte) => sum * 256 + byte, 0);
        const parts = [...bytes.slice(0, length - 1), last];
        const host = parts.map((part, i) => write[i]!(part)).join(".") + dot;
        assert.deepEqual(readHost(host), { kind: "address", text: bytes.join(".") }, host);
      },
    ),
    { numRuns: 2_000 },
  );
});
